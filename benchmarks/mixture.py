"""Lab 2's mixture: seconds to train, error of the learned field, and network calls a step.

    python benchmarks/mixture.py

Prints the training time on this machine (two threads), the relative error of the field at w = 1
against the exact one on points drawn from the path (20,000 of them, t uniform on [0, 0.999]), and
how often guided sampling calls the network for each Euler step, with and without batching.
"""

from __future__ import annotations

import time

import torch

from course_utils.distributions import GMM
from course_utils.dynamics import EulerSimulator
from course_utils.evaluation import MixtureOracle, relative_error
from course_utils.runtime import set_seed
from course_utils.solved.cfg import (
    BatchedCFGVectorFieldODE,
    CFGTrainer,
    CFGVectorFieldODE,
    MLPConditionalVectorField,
)
from course_utils.solved.mnist import GaussianConditionalProbabilityPath, LinearAlpha, LinearBeta

NUM_CLASSES = 3


def train() -> tuple[MLPConditionalVectorField, GaussianConditionalProbabilityPath, float]:
    """The lab's own run: same data, network, steps and seed."""
    mixture = GMM(
        means=torch.tensor([[0.0, 1.5], [-1.3, -0.75], [1.3, -0.75]]),
        covariances=torch.tensor([0.30, 0.50, 0.40]),
        weights=torch.tensor([0.3, 0.4, 0.3]),
    )
    path = GaussianConditionalProbabilityPath(mixture, [2], LinearAlpha(), LinearBeta())
    set_seed(0)
    net = MLPConditionalVectorField(dim=2, hidden_dim=64, class_dim=8, num_classes=NUM_CLASSES)
    trainer = CFGTrainer(path, eta=0.15, null_label=NUM_CLASSES)
    started = time.perf_counter()
    trainer.train(net, 2000, lr=5e-3, warmup_steps=100, ema_decay=0.995, batch_size=256)
    return net, path, time.perf_counter() - started


@torch.no_grad()
def field_error(
    net: MLPConditionalVectorField, path: GaussianConditionalProbabilityPath, count: int = 20_000
) -> float:
    oracle = MixtureOracle(path.p_data, path.alpha, path.beta)
    z, y = path.p_data.sample(count)
    t = 0.999 * torch.rand(count)
    x = path.sample_conditional_path(z, t)
    return relative_error(net(x, t, y), oracle.guided_velocity(x, t, y, 1.0))


def calls_per_step(kind: type, net: MLPConditionalVectorField, steps: int = 50) -> float:
    calls = 0

    def counted(*args: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return net(*args)

    simulator = EulerSimulator(kind(counted, NUM_CLASSES, 3.0))
    y = torch.zeros(100, dtype=torch.long)
    simulator.simulate(torch.randn(100, 2), torch.linspace(0, 1, steps + 1), y=y)
    return calls / steps


def main() -> None:
    net, path, seconds = train()
    print(f"lab 2's mixture: trained in {seconds:.1f} s on {torch.get_num_threads()} threads")
    print(f"relative error of the field at w = 1: {field_error(net, path):.3f}")
    for kind in (CFGVectorFieldODE, BatchedCFGVectorFieldODE):
        calls = calls_per_step(kind, net)
        print(f"{kind.__name__}: {calls:g} network calls for each Euler step")


if __name__ == "__main__":
    main()
