"""Job 5.4 accepts any right loss, and names the mistake of a wrong one."""

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
from torch.nn.functional import cross_entropy

from course_utils.checks.classifier_guidance import LAB
from course_utils.solved.classifier_guidance import NoisyClassifierTrainer


def test_the_reference_earns_full_marks() -> None:
    assert_right("5.4", NoisyClassifierTrainer)
    assert_right("5.4", NoisyTrainer)


def test_a_seed_chooses_the_sizes() -> None:
    inputs = (LAB.jobs["5.4"].parts[0].inputs(seed)["classes"] for seed in range(12))
    assert len({str(value) for value in inputs}) > 1


def test_the_trainer_counts_although_q_sample_is_a_stub(monkeypatch: pytest.MonkeyPatch) -> None:
    import diffusion_answers

    monkeypatch.setattr(diffusion_answers.GaussianDiffusion, "q_sample", stub("5.1"))
    assert report("5.4", NoisyTrainer).passed
    monkeypatch.delattr(diffusion_answers, "GaussianDiffusion")
    found = report("5.4", NoisyTrainer)
    assert found.passed, told(found)


def test_no_false_alarm_on_many_seeds() -> None:
    """Steps, noise and what is drawn anew are judged by statistics."""
    for seed in range(40):
        found = report("5.4", NoisyTrainer, seed)
        assert found.passed, f"seed {seed}: {told(found)}"


WRONG_TRAINERS = {
    "noise alone": trainer(
        noised=lambda s, x, t: s.diffusion.q_sample(torch.randn_like(x), t, torch.randn_like(x))
    ),
    "shifted by one": trainer(loss=lambda s, p, y: cross_entropy(p, (y + 1) % p.shape[1])),
    "other items": trainer(loss=lambda s, p, y: cross_entropy(p, y.flip(0))),
    "is a part detached": trainer(loss=lambda s, p, y: cross_entropy((p + p.detach()) / 2, y)),
    "no gradient": trainer(loss=lambda s, p, y: cross_entropy(p.detach(), y)),
    "not written": trainer(get_train_loss=stub("5.4")),
    "should be": trainer(loss=lambda s, p, y: 1.5 * cross_entropy(p, y)),
}  # fmt: skip


@pytest.mark.parametrize("words", WRONG_TRAINERS)
def test_wrong_trainers(words: str) -> None:
    assert_wrong("5.4", WRONG_TRAINERS[words], words)
