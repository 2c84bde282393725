"""Lab 5's networks: what the model of a sampler asks its network, and how it is measured."""

import pytest
import torch
from torch import Tensor, nn

from course_utils.diffusion.conditioning import classifier_gradient
from course_utils.diffusion.process import q_sample
from course_utils.diffusion.sampling import Sampler, p_sample_loop
from course_utils.mnist import MNISTSampler
from grading import noise


class Tells(nn.Module):
    """y + 100 t in every pixel, and a note of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(1))
        self.calls: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        self.calls.append((t, y))
        return (y + 100 * t)[:, None, None, None].expand_as(x) + self.nothing


T = torch.tensor([0, 500, 999])
Y = torch.tensor([3, 1, 4])
X = torch.ones(3, 1, 2, 2)


def epsilon(labels: Tensor) -> Tensor:
    """The noise that `Tells` finds in X: √(1 − ᾱ) x + √ᾱ (y + 100 t)."""
    share = noise.whole_process().alphas_bar[T].float()
    return (1 - share).sqrt() + share.sqrt() * (labels + 100 * T / 1000)


@pytest.mark.parametrize(
    ("w", "seen", "label"),
    [(0.0, [10, 10, 10], [10, 10, 10]), (1.0, [3, 1, 4], [3, 1, 4])],
)
def test_scales_0_and_1_ask_for_nothing_else(w: float, seen: list, label: list) -> None:
    net = Tells()
    out = noise.noise_model(net, Y, w)(X, T)
    ((t, y),) = net.calls
    assert y.tolist() == seen and t.tolist() == [0, 0.5, pytest.approx(0.999)]
    assert torch.allclose(out[:, 0, 0, 0], epsilon(torch.tensor(label)))


def test_without_labels_the_model_is_unconditional() -> None:
    net = Tells()
    noise.noise_model(net)(X, T)
    assert net.calls[0][1].tolist() == [10, 10, 10]


@pytest.mark.parametrize("w", [0.5, 2.0, 3.0])
def test_guidance_mixes_both_answers_of_one_call(w: float) -> None:
    net = Tells()
    out = noise.noise_model(net, Y, w)(X, T)
    assert len(net.calls) == 1
    assert torch.allclose(out[:, 0, 0, 0], (1 - w) * epsilon(torch.tensor(10)) + w * epsilon(Y))


def test_every_scale_starts_from_the_same_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Tensor] = []

    def loop(sampler: Sampler, *, noise: Tensor, generator: torch.Generator) -> Tensor:
        assert sampler.process.num_steps == 7
        started.append(noise)
        return noise

    labels = torch.arange(4)
    monkeypatch.setattr(noise, "BATCH_SIZE", 3)
    for w in (1.0, 3.0):
        images = noise.draw(Tells(), labels, w, num_steps=7, seed=5, sample_loop=loop)
        assert images.shape == (4, 1, 32, 32)
    assert torch.equal(torch.cat(started[:2]), torch.cat(started[2:]))
    other = noise.draw(Tells(), labels, num_steps=7, seed=6, sample_loop=loop)
    assert not torch.equal(other, images)


def test_another_guide_is_told_the_labels_of_its_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[list[int]] = []
    monkeypatch.setattr(noise, "BATCH_SIZE", 2)

    def guide(y: Tensor) -> Sampler:
        told.append(y.tolist())
        gradient = classifier_gradient(lambda x, t: x.flatten(1)[:, :10], scale=1.0)
        return Sampler(noise.whole_process(), noise.noise_model(Tells()), cond_fn=gradient, y=y)

    noise.draw(Tells(), torch.arange(3), num_steps=2, sample_loop=p_sample_loop, guide=guide)
    assert told == [[0, 1], [2]]


class Reads(nn.Module):
    """Right where there is little noise: it compares with the images themselves."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        super().__init__()
        self.images = nn.Parameter(images.flatten(1))
        self.labels, self.steps = labels, set[int]()

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.steps |= set(t.tolist())
        nearest = torch.cdist(x.flatten(1), self.images).argmin(dim=1)
        return nn.functional.one_hot(self.labels[nearest], 10).float()


def test_accuracy_falls_with_the_noise() -> None:
    data = MNISTSampler(train=False, source="digits")
    found = noise.accuracy_by_step(Reads(*data.subset(100)), data, steps=(0, 999))
    assert found[0].value == 1 and found[999].value < 0.6


def test_the_networks_learn_on_the_noise_that_they_are_measured_with() -> None:
    from course_utils.solved.classifier_guidance import GaussianDiffusion

    own = GaussianDiffusion(noise.linear_betas(noise.NUM_STEPS))
    x, eps, t = torch.randn(4, 1, 2, 2), torch.randn(4, 1, 2, 2), torch.tensor([0, 10, 500, 999])
    expected = q_sample(noise.whole_process(), x, t, eps)
    assert torch.allclose(own.q_sample(x, t, eps), expected, atol=1e-6)
