"""Jobs 5.4 and 5.5 accept any right loss and gradient, and name the mistake of a wrong one."""

from collections.abc import Callable
from typing import Any

import einops
import numpy as np
import pytest
import torch
from diffusion_answers import (
    NoisyTrainer,
    assert_right,
    assert_wrong,
    report,
    stub,
    told,
    trainer,
)
from torch import Tensor, nn
from torch.distributions import Categorical, Normal
from torch.nn.functional import cross_entropy, mse_loss, nll_loss, one_hot

from course_utils.checks.classifier_guidance import LAB
from course_utils.solved.classifier_guidance import NoisyClassifierTrainer, classifier_guidance

# --- 5.4


def test_the_reference_earns_full_marks() -> None:
    assert_right("5.4", NoisyClassifierTrainer)
    assert_right("5.4", NoisyTrainer)
    assert_right("5.5", classifier_guidance)


def test_a_seed_chooses_the_sizes() -> None:
    for number, name in (("5.4", "classes"), ("5.5", "0.shape"), ("5.5", "1.weights")):
        inputs = (LAB.jobs[number].parts[0].inputs(seed)[name] for seed in range(12))
        sizes = {tuple(v.shape) if isinstance(v, Tensor) and v.ndim > 1 else str(v) for v in inputs}
        assert len(sizes) > 1, name


def categorical(self: Any, logits: Tensor, y: Tensor) -> Tensor:
    return -Categorical(logits=logits).log_prob(y).mean()


def by_hand(self: Any, logits: Tensor, y: Tensor) -> Tensor:
    return (logits.logsumexp(1) - logits[torch.arange(len(y)), y]).mean()


def dotted(self: Any, logits: Tensor, y: Tensor) -> Tensor:
    chosen = one_hot(y, logits.shape[1]).float()
    return -einops.einsum(logits.log_softmax(-1), chosen, "b c, b c ->") / len(y)


def by_numpy(self: Any, count: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(3).integers(0, self.diffusion.num_steps, count))


def floored(self: Any, count: int) -> Tensor:
    return (torch.rand(count) * self.diffusion.num_steps).floor().long()


def without_q_sample(self: Any, x: Tensor, t: Tensor) -> Tensor:
    bar = self.diffusion.alphas_bar[t].reshape(-1, 1, 1, 1)
    return Normal(bar.sqrt() * x, (1 - bar).sqrt().expand_as(x)).sample()


def normal_(self: Any, x: Tensor, t: Tensor) -> Tensor:
    return self.diffusion.q_sample(x, noise=torch.empty_like(x).normal_(), t=t)


class InOne(NoisyTrainer):
    """Everything in one method; what is random comes in another order."""

    def get_train_loss(self, batch_size: int) -> Tensor:
        t = torch.randint(low=0, high=len(self.diffusion.betas), size=(batch_size,))
        data, labels = self.data.sample(num_samples=batch_size)
        noise = torch.normal(0.0, 1.0, data.shape)
        noisy = self.diffusion.q_sample(data, t, noise)
        log_probabilities = self.model.forward(x=noisy, t=t).log_softmax(dim=1)
        return nll_loss(log_probabilities, labels)


RIGHT_TRAINERS = [
    trainer(loss=categorical), trainer(loss=by_hand), trainer(loss=dotted),
    trainer(steps=by_numpy), trainer(steps=floored),
    trainer(noised=without_q_sample), trainer(noised=normal_), InOne,
]  # fmt: skip


@pytest.mark.parametrize("target", RIGHT_TRAINERS)
def test_other_right_trainers(target: type) -> None:
    assert_right("5.4", target)


def test_the_trainer_counts_although_q_sample_is_a_stub(monkeypatch: pytest.MonkeyPatch) -> None:
    import diffusion_answers

    monkeypatch.setattr(diffusion_answers.GaussianDiffusion, "q_sample", stub("5.1"))
    assert report("5.4", NoisyTrainer).passed
    monkeypatch.delattr(diffusion_answers, "GaussianDiffusion")
    found = report("5.4", NoisyTrainer)
    assert found.passed, told(found)


def randoms(low: int, high: int) -> Callable[..., Tensor]:
    return lambda self, count: torch.randint(low, self.diffusion.num_steps + high, (count,))


WRONG_TRAINERS = {
    "noised twice": trainer(
        noised=lambda s, x, t: NoisyTrainer.noised(s, NoisyTrainer.noised(s, x, t), t)
    ),
    "sees the clean images": trainer(noised=lambda s, x, t: x),
    "torch.rand,": trainer(noised=lambda s, x, t: s.diffusion.q_sample(x, t, torch.rand_like(x))),
    "The noise is missing": trainer(noised=lambda s, x, t: s.diffusion.q_sample(x, t, 0 * x)),
    "noise alone": trainer(
        noised=lambda s, x, t: s.diffusion.q_sample(torch.randn_like(x), t, torch.randn_like(x))
    ),
    "Image and noise look swapped": trainer(
        noised=lambda s, x, t: s.diffusion.q_sample(torch.randn_like(x), t, x)
    ),
    "same for several items": trainer(
        noised=lambda s, x, t: s.diffusion.q_sample(x, t, torch.randn_like(x[:1]).expand_as(x))
    ),
    "another t": trainer(logits=lambda s, x, t: s.model(x, s.steps(len(x)))),
    "not told t": trainer(logits=lambda s, x, t: s.model(x)),
    "fractions": trainer(logits=lambda s, x, t: s.model(x, t / s.diffusion.num_steps)),
    "handed the labels": trainer(logits=lambda s, x, t: s.model(x, t, t)),
    "One and the same t": trainer(steps=lambda s, n: s.diffusion.q_sample and torch.full((n,), 7)),
    "only takes values 1": trainer(steps=randoms(1, 0)),
    "draws 0 … n − 1": trainer(steps=randoms(0, -1)),
    "T is not always 1,000": trainer(steps=lambda s, n: torch.randint(1000, (n,))),
    "not spread evenly": trainer(
        steps=lambda s, n: (torch.rand(n).square() * s.diffusion.num_steps).long()
    ),
    "summed over the batch": trainer(loss=lambda s, p, y: cross_entropy(p, y, reduction="sum")),
    "opposite sign": trainer(loss=lambda s, p, y: -cross_entropy(p, y)),
    "applied twice": trainer(loss=lambda s, p, y: cross_entropy(p.softmax(1), y)),
    "runs over the batch": trainer(loss=lambda s, p, y: nll_loss(p.log_softmax(0), y)),
    "log-softmax is missing": trainer(loss=lambda s, p, y: nll_loss(p, y)),
    "minus the mean probability": trainer(loss=lambda s, p, y: nll_loss(p.softmax(1), y)),
    "shifted by one": trainer(loss=lambda s, p, y: cross_entropy(p, (y + 1) % p.shape[1])),
    "other items": trainer(loss=lambda s, p, y: cross_entropy(p, y.flip(0))),
    "own guesses": trainer(loss=lambda s, p, y: cross_entropy(p, p.argmax(1))),
    "squared distance of prob": trainer(
        loss=lambda s, p, y: mse_loss(p.softmax(1), one_hot(y, p.shape[1]).float())
    ),
    "no gradient": trainer(loss=lambda s, p, y: cross_entropy(p.detach(), y)),
    "yours has": trainer(loss=lambda s, p, y: cross_entropy(p, y, reduction="none")),
    "yours is None": trainer(loss=lambda s, p, y: None),
    "never asked": type("NoisyClassifierTrainer", (NoisyTrainer,), {
        "get_train_loss": lambda s, n: NoisyTrainer.get_train_loss(s, n // 2),
    }),
    "not written": trainer(get_train_loss=stub("5.4")),
    "should be": trainer(loss=lambda s, p, y: 1.5 * cross_entropy(p, y)),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_TRAINERS)
def test_wrong_trainers(words: str) -> None:
    assert_wrong("5.4", WRONG_TRAINERS[words], words)


# --- 5.5


def guidance(cond_fn: Callable[..., Any]) -> Callable[..., Any]:
    """A target from (classifier, scale, x, t, y) to the gradient."""

    def classifier_guidance(classifier: Any, scale: float) -> Callable[..., Any]:
        return lambda x, t, y: cond_fn(classifier, scale, x, t, y)

    return classifier_guidance


def backward(classifier: Any, scale: float, x: Tensor, t: Tensor, y: Tensor) -> Tensor | None:
    x = x.clone().detach().requires_grad_(True)
    with torch.enable_grad():
        Categorical(logits=classifier(x, t)).log_prob(y).sum().backward()
    return None if x.grad is None else x.grad * scale


def minus_cross_entropy(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Tensor:
    with torch.set_grad_enabled(True):
        leaf = nn.Parameter(x.clone())
        loss = cross_entropy(classifier(leaf, t), y, reduction="sum")
    return -scale * torch.autograd.grad(loss, leaf)[0]


def functional(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Tensor:
    def log_p(x: Tensor) -> Tensor:
        chosen = one_hot(y, classifier(x, t).shape[1])
        return scale * (classifier(x, t).log_softmax(-1) * chosen).sum()

    with torch.enable_grad():
        return torch.func.grad(log_p)(x.detach())


def vectors(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        log_p = torch.log(classifier(x, t).softmax(1))[range(len(y)), y]
        (pull,) = torch.autograd.grad(log_p, x, grad_outputs=torch.full_like(log_p, scale))
    return pull


@torch.enable_grad()
def decorated(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Tensor:
    x = x.detach().clone().requires_grad_()
    chosen = classifier(x=x, t=t).log_softmax(dim=-1).take_along_dim(y[:, None], dim=1)
    return torch.autograd.grad((scale * chosen).sum(), [x])[0].detach()


def averaged_and_back(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Tensor:
    """On the caller's own tensor, which is left wanting a gradient."""
    with torch.enable_grad():
        x.requires_grad_()
        loss = cross_entropy(classifier(x, t), y)
        return -scale * len(y) * torch.autograd.grad(loss, x)[0]


def item_by_item(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Tensor:
    rows = []
    for i in range(len(x)):
        with torch.enable_grad():
            one = x[i : i + 1].detach().requires_grad_()
            log_p = classifier(one, t[i : i + 1]).log_softmax(1)[0, y[i]]
        rows.append(torch.autograd.grad(log_p, one)[0])
    return scale * torch.cat(rows)


RIGHT_GRADIENTS = [
    backward, minus_cross_entropy, functional, vectors, decorated, averaged_and_back, item_by_item,
]  # fmt: skip


@pytest.mark.parametrize("cond_fn", RIGHT_GRADIENTS)
def test_other_right_gradients(cond_fn: Callable[..., Any]) -> None:
    assert_right("5.5", guidance(cond_fn))


def of(
    chosen: Callable[[Tensor, Tensor], Tensor] = lambda logits, y: logits.log_softmax(1)[
        torch.arange(len(y)), y
    ],
    ask: Callable[..., Tensor] = lambda classifier, x, t, y: classifier(x, t),
    scaled: Callable[[Tensor, float], Tensor] = lambda pull, scale: scale * pull,
    leaf: Callable[[Tensor], Tensor] = lambda x: x.detach().requires_grad_(),
) -> Callable[..., Any]:
    """The right gradient with one thing done otherwise."""

    def cond_fn(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Any:
        with torch.enable_grad():
            x = leaf(x)
            value = chosen(ask(classifier, x, t, y), y)
            return scaled(torch.autograd.grad(value.sum(), x)[0], scale)

    return guidance(cond_fn)


def rows(y: Tensor) -> Tensor:
    return torch.arange(len(y))


WRONG_GRADIENTS = {
    "averaged over the batch: sum": of(lambda p, y: p.log_softmax(1)[rows(y), y].mean()),
    "averaged over the batch and points away": of(lambda p, y: cross_entropy(p, y)),
    "sign is turned": of(lambda p, y: -p.log_softmax(1)[rows(y), y]),
    "gradient of the logit": of(lambda p, y: p[rows(y), y]),
    "gradient of the probability": of(lambda p, y: p.softmax(1)[rows(y), y]),
    "over the batch, dim=0": of(lambda p, y: p.log_softmax(0)[rows(y), y]),
    "applied twice": of(lambda p, y: p.softmax(1).log_softmax(1)[rows(y), y]),
    "every label for every item": of(lambda p, y: p.log_softmax(1)[:, y]),
    "sums over all classes": of(lambda p, y: p.log_softmax(1)),
    "own guess": of(lambda p, y: p.log_softmax(1).amax(1)),
    "shifted by one": of(lambda p, y: p.log_softmax(1)[rows(y), (y + 1) % p.shape[1]]),
    "normalised": of(
        scaled=lambda g, s: s * g / g.flatten(1).norm(dim=1).reshape(-1, *[1] * (g.ndim - 1))
    ),
    "not told t": of(ask=lambda c, x, t, y: c(x)),
    "told other steps": of(ask=lambda c, x, t, y: c(x, t.flip(0))),
    "told fractions": of(ask=lambda c, x, t, y: c(x, t / 1000)),
    "is handed y": of(ask=lambda c, x, t, y: c(x, t, y)),
    "very tensor that": of(ask=lambda c, x, t, y: c(x.clone().detach(), t) + 0 * c.weights.sum()),
    "writes into x": of(leaf=lambda x: x.mul_(2).detach().requires_grad_()),
    "yours is None": guidance(lambda c, scale, x, t, y: None),
    "returns a function": lambda classifier, scale: torch.zeros(2),
}


@pytest.mark.parametrize("words", WRONG_GRADIENTS)
def test_wrong_gradients(words: str) -> None:
    assert_wrong("5.5", WRONG_GRADIENTS[words], words)


def adding_up(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Any:
    with torch.enable_grad():
        x.requires_grad_()
        classifier(x, t).log_softmax(1)[rows(y), y].sum().backward()
    return scale * x.grad


def without_enable_grad(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Any:
    x = x.detach().requires_grad_()
    log_p = classifier(x, t).log_softmax(1)[rows(y), y]
    return scale * torch.autograd.grad(log_p.sum(), x)[0]


def inside(classifier: Any, scale: float, x: Any, t: Any, y: Any) -> Any:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        log_p = (scale * classifier(x, t)).log_softmax(1)[rows(y), y]
        return torch.autograd.grad(log_p.sum(), x)[0]


WRONG_SCALES = {
    "x.grad adds up": guidance(adding_up),
    "torch.enable_grad()": guidance(without_enable_grad),
    "At scale 0": of(scaled=lambda g, s: g),
    "The scale is squared": of(scaled=lambda g, s: s * s * g),
    "is divided by the scale": of(scaled=lambda g, s: g / s if s else 0 * g),
    "multiplies the logits": guidance(inside),
    "no guidance": of(scaled=lambda g, s: (1 + s) * g),
    "has no effect": of(scaled=lambda g, s: g * float(s != 0)),
}


@pytest.mark.parametrize("words", WRONG_SCALES)
def test_wrong_scales(words: str) -> None:
    seen_before = words in ("x.grad adds up", "no guidance")
    assert_wrong("5.5", WRONG_SCALES[words], words, earned=0 if seen_before else 2)
