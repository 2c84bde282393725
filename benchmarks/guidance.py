"""Classifier guidance beside classifier-free guidance, with the networks that lab 5 ships.

    python benchmarks/guidance.py             # a quarter of an hour
    python benchmarks/guidance.py --ancestral # and 250 ancestral steps: as much again
    python benchmarks/guidance.py --ancestral --scales 20 --free-scales # only those two

1,000 samples for each scale, a hundred of each class, from the same noise. Classifier guidance
starts from the unconditional model; the other kind is told the label. The judge is the classifier
that ships for evaluation, which neither of them has seen.
"""

from __future__ import annotations

import argparse
import time

import torch

from course_utils import evaluation, pretrained, recipes
from course_utils.diffusion.conditioning import classifier_gradient
from course_utils.diffusion.sampling import Sampler, ddim_sample_loop, p_sample_loop
from course_utils.mnist import NUM_CLASSES
from grading import noise
from grading.train import build

CLASSIFIER_SCALES = (0.0, 1.0, 3.0, 6.0, 12.0, 20.0)
FREE_SCALES = (0.0, 1.0, 1.5, 2.0, 3.0)
DDIM_STEPS, ANCESTRAL_STEPS = 25, 250


def shipped(name: str) -> torch.nn.Module:
    """A network of lab 5 with its weights."""
    net = build(recipes.recipe(name, "laptop")).to(memory_format=torch.channels_last)
    pretrained.fill(net, name)
    return net.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ancestral", action="store_true", help="also 250 ancestral steps")
    for option, default in (("--scales", CLASSIFIER_SCALES), ("--free-scales", FREE_SCALES)):
        parser.add_argument(option, type=float, nargs="*", default=default, metavar="SCALE")
    parser.add_argument("--samples", type=int, default=100, help="of each class (default: 100)")
    chosen = parser.parse_args()
    net, classifier = shipped("diffusion"), shipped("noisy_classifier").requires_grad_(False)
    labels = torch.arange(NUM_CLASSES).repeat(chosen.samples)

    def guided(scale: float, num_steps: int = DDIM_STEPS, loop=ddim_sample_loop) -> float:
        model, cond_fn = noise.noise_model(net), classifier_gradient(classifier, scale)

        def guide(y: torch.Tensor) -> Sampler:
            return Sampler(noise.whole_process(), model, cond_fn=cond_fn, y=y)

        kind = f"classifier, scale {scale:g}, {num_steps} steps"
        return report(
            kind, labels,
            lambda: noise.draw(net, labels, num_steps=num_steps, sample_loop=loop, guide=guide),
        )  # fmt: skip

    found = {scale: guided(scale) for scale in chosen.scales}
    for w in chosen.free_scales:
        report(
            f"classifier-free, w = {w:g}, {DDIM_STEPS} steps", labels,
            lambda w=w: noise.draw(net, labels, w, num_steps=DDIM_STEPS),
        )  # fmt: skip
    best = max(found, key=found.__getitem__)
    print(f"best scale of the classifier: {best:g}, {found[best]:.1%} read as requested")
    if chosen.ancestral:
        slow = guided(best, ANCESTRAL_STEPS, p_sample_loop)
        print(
            f"{DDIM_STEPS} DDIM steps: {100 * (found[best] - slow):+.1f} points against ancestral"
        )


def report(kind: str, labels: torch.Tensor, draw) -> float:
    """Draw, judge and print; the accuracy."""
    started = time.perf_counter()
    images = draw()
    seconds = time.perf_counter() - started
    scores = evaluation.score(images, labels, evaluation.reference("mnist"))
    print(f"{kind:42} {seconds:5.0f} s  {scores}", flush=True)
    return scores.accuracy.value


if __name__ == "__main__":
    main()
