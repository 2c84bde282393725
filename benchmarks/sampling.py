"""Samplers of the shipped U-Net: Fréchet distance against calls of the network for each image.

    python benchmarks/sampling.py

1,000 samples, a hundred of each class, from the same noise, at guidance scale 2. The baseline is
what the original labs do: 100 Euler steps of two calls each. Calls are counted, not assumed.
"""

from __future__ import annotations

import time

import torch

from course_utils import evaluation, guidance, pretrained, recipes
from course_utils.mnist import NUM_CLASSES
from grading.train import build

SCALE = 2.0
SAMPLERS = {
    "Euler, 100 steps (baseline)": {"solver": "euler", "num_steps": 100},
    "Euler, 20 steps": {"solver": "euler", "num_steps": 20},
    "Heun, 10 steps": {"solver": "heun", "num_steps": 10},
    "Heun, 10 steps, guided for t in [0.1, 0.8] only": {
        "solver": "heun", "num_steps": 10, "interval": (0.1, 0.8),
    },
}  # fmt: skip


def main() -> None:
    net = build(recipes.recipe("unet", "laptop")).to(memory_format=torch.channels_last)
    pretrained.fill(net, "unet")
    labels = torch.arange(NUM_CLASSES).repeat(100)
    shown = 0

    def count(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        nonlocal shown
        shown += len(inputs[0])

    net.register_forward_pre_hook(count)
    print(f"{'sampler':50} {'calls':>6} {'seconds':>8}  Fréchet distance (95 %)     accuracy")
    for name, settings in SAMPLERS.items():
        shown, started = 0, time.perf_counter()
        images = guidance.generate(net, labels, SCALE, null_label=NUM_CLASSES, **settings)
        seconds = time.perf_counter() - started
        scores = evaluation.score(images, labels, evaluation.reference("mnist"))
        calls = shown / len(labels)
        told = f"{scores.frechet!s:26} {scores.accuracy}"
        print(f"{name:50} {calls:6.0f} {seconds:8.0f}  {told}", flush=True)


if __name__ == "__main__":
    main()
