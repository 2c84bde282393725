"""How the tests of lab 5's checks judge an answer, and right answers in a style of their own."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from course_utils.checks.classifier_guidance import LAB
from course_utils.checks.core import Report, run

HIDDEN = {f"5.{number}": 9509 + number for number in range(1, 8)}


def report(number: str, target: object, seed: int = 0) -> Report:
    return run(LAB.jobs[number], target, seed)


def told(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if not finding.ok)


def noted(found: Report) -> str:
    return " ".join(finding.message for finding in found.findings if finding.ok)


def assert_right(number: str, target: object, seeds: tuple[int, ...] = (0, 1, 2)) -> None:
    for seed in (*seeds, HIDDEN[number]):
        found = report(number, target, seed)
        assert found.passed, f"seed {seed}: {told(found)}"


def assert_wrong(
    number: str, target: object, words: str, earned: float = 0, seeds: tuple[int, ...] = (0,)
) -> None:
    for seed in (*seeds, HIDDEN[number]):
        found = report(number, target, seed)
        assert found.earned == earned and words in told(found), f"seed {seed}: {told(found)}"


class Prediction(NamedTuple):
    mean: Tensor
    variance: Tensor
    log_variance: Tensor
    pred_xstart: Tensor


class Process:
    """The given cell in other words: tables, and how to look something up."""

    def __init__(self, betas: Tensor, kept: Any = None) -> None:
        bars = torch.cumprod(1 - betas.double(), 0)
        kept = list(range(len(betas))) if kept is None else kept
        before = [torch.ones((), dtype=torch.float64), *bars[kept[:-1]]]
        self.original_steps = torch.tensor(kept)
        self.num_steps = len(kept)
        self.alphas_bar, self.alphas_bar_prev = bars[kept].float(), torch.stack(before).float()
        self.betas = (1 - bars[kept] / torch.stack(before)).float()

    def at(self, table: Tensor, t: Tensor, x: Tensor) -> Tensor:
        return table[t].view(len(t), *(1 for _ in x.shape[1:]))


def q_sample(self: Any, x_start: Tensor, t: Tensor, noise: Tensor) -> Tensor:
    signal = self.at(self.alphas_bar, t, x_start)
    return torch.sqrt(signal) * x_start + torch.sqrt(1 - signal) * noise


def posterior(self: Any, x_start: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, ...]:
    bar, prev = self.at(self.alphas_bar, t, x_t), self.at(self.alphas_bar_prev, t, x_t)
    beta = self.at(self.betas, t, x_t)
    mean = (prev**0.5 * beta * x_start + (1 - beta) ** 0.5 * (1 - prev) * x_t) / (1 - bar)
    table = self.betas * (1 - self.alphas_bar_prev) / (1 - self.alphas_bar)
    logs = table.clone()
    logs[0] = table[1]
    return mean, self.at(table, t, x_t), self.at(logs.log(), t, x_t)


def predict(self: Any, model: Any, x: Tensor, t: Tensor, clip_denoised: bool = True) -> Any:
    bar = self.at(self.alphas_bar, t, x)
    start = x / bar.sqrt() - (1 / bar - 1).sqrt() * model(x, self.original_steps[t])
    start = torch.clip(start, -1, 1) if clip_denoised else start
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)


def condition_mean(self: Any, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any) -> Tensor:
    pull = cond_fn(x, self.original_steps[t], y)
    return torch.addcmul(prediction.mean, prediction.variance.expand_as(pull), pull)


def p_sample(self: Any, model: Any, x: Any, t: Any, cond_fn: Any = None, y: Any = None) -> Tensor:
    out = self.p_mean_variance(model, x, t)
    mean = self.condition_mean(cond_fn, out, x, t, y) if cond_fn else out.mean
    return mean + out.variance.sqrt() * torch.randn_like(x)


def condition_score(self: Any, cond_fn: Any, prediction: Any, x: Any, t: Any, y: Any) -> Any:
    bar = self.at(self.alphas_bar, t, x)
    noise = (x - bar.sqrt() * prediction.pred_xstart) / (1 - bar).sqrt()
    noise = noise - (1 - bar).sqrt() * cond_fn(x, self.original_steps[t], y)
    start = (x - (1 - bar).sqrt() * noise) / bar.sqrt()
    mean, *_ = self.q_posterior_mean_variance(start, x, t)
    return Prediction(mean, prediction.variance, prediction.log_variance, start)


def ddim_sample(
    self: Any, model: Any, x: Any, t: Any, cond_fn: Any = None, y: Any = None, eta: float = 0.0
) -> Tensor:
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out = self.condition_score(cond_fn, out, x, t, y)
    bar, prev = (self.at(name, t, x) for name in (self.alphas_bar, self.alphas_bar_prev))
    noise = (x - bar.sqrt() * out.pred_xstart) / (1 - bar).sqrt()
    sigma = eta * ((1 - prev) / (1 - bar)).sqrt() * (1 - bar / prev).sqrt()
    return (
        out.pred_xstart * prev.sqrt()
        + (1 - prev - sigma**2).sqrt() * noise
        + sigma * torch.randn_like(x)
    )


RIGHT = {
    "q_sample": q_sample,
    "q_posterior_mean_variance": posterior,
    "p_mean_variance": predict,
    "condition_mean": condition_mean,
    "p_sample": p_sample,
    "condition_score": condition_score,
    "ddim_sample": ddim_sample,
}


def process(**methods: Callable[..., Any]) -> type:
    """The lab's class, right but for ``methods``."""
    return type("GaussianDiffusion", (Process,), RIGHT | methods)


def stub(number: str) -> Callable[..., Any]:
    def raise_it(*args: Any, **options: Any) -> Any:
        raise NotImplementedError(f"Your job {number}")

    return raise_it


GaussianDiffusion = process()
"""What a trainer of this module finds in its globals, as it does in a notebook."""


class NoisyTrainer:
    """A right trainer, taken apart so that a test can replace a piece."""

    model: nn.Module

    def __init__(self, diffusion: Any, data: Any) -> None:
        self.diffusion, self.data = diffusion, data

    def steps(self, count: int) -> Tensor:
        return torch.randint(self.diffusion.num_steps, (count,))

    def noised(self, x: Tensor, t: Tensor) -> Tensor:
        return self.diffusion.q_sample(x, t, torch.randn_like(x))

    def logits(self, x: Tensor, t: Tensor) -> Tensor:
        return self.model(x, t)

    def loss(self, logits: Tensor, y: Tensor) -> Tensor:
        return cross_entropy(logits, y)

    def get_train_loss(self, batch_size: int) -> Tensor:
        x, y = self.data.sample(batch_size)
        t = self.steps(batch_size)
        return self.loss(self.logits(self.noised(x, t), t), y)


def trainer(**pieces: Callable[..., Any]) -> type:
    return type("NoisyClassifierTrainer", (NoisyTrainer,), pieces)


def namespace(self: Any, *args: Any, **options: Any) -> SimpleNamespace:
    """p_mean_variance in a form of one's own."""
    return SimpleNamespace(**predict(self, *args, **options)._asdict())


def as_dict(self: Any, *args: Any, **options: Any) -> dict[str, Tensor]:
    return predict(self, *args, **options)._asdict()
