"""The judge: shipped, good on both kinds of digits, and what it is shown does not matter to it."""

import os
from pathlib import Path

import pytest
import torch

from course_utils.distributions import LabeledSampleable
from course_utils.evaluation import classifier
from course_utils.evaluation.classifier import ClassifierTrainer, DigitClassifier, jitter
from course_utils.mnist import MNISTSampler

DATA = os.environ.get("COURSE_DATA")
HAS_MNIST = bool(DATA) and Path(DATA, "MNIST", "raw").is_dir()


class Constant(LabeledSampleable):
    """Images of one grey level, all with one label."""

    def __init__(self, value: float, label: int) -> None:
        self.value, self.label, self.counts = value, label, []

    def sample(self, num_samples: int) -> tuple[torch.Tensor, torch.Tensor]:
        self.counts.append(num_samples)
        labels = torch.full((num_samples,), self.label)
        return torch.full((num_samples, 1, 32, 32), self.value), labels


@pytest.mark.mnist
@pytest.mark.skipif(not HAS_MNIST, reason="COURSE_DATA has no MNIST")
def test_the_shipped_classifier_reads_99_of_100_test_images() -> None:
    right, reference = classifier.accuracy_on(MNISTSampler(DATA, train=False, source="mnist"))
    assert right >= 0.99
    stored = classifier.stored_reference()
    assert stored.source == "mnist" and stored.count == reference.count == 10_000
    assert torch.allclose(stored.mean, reference.mean, atol=1e-2)
    assert torch.allclose(stored.covariance, reference.covariance, atol=0.1)


def test_the_shipped_classifier_reads_the_embedded_digits() -> None:
    right, _ = classifier.accuracy_on(MNISTSampler(train=False, source="digits"))
    assert right >= 0.95


def test_the_shipped_classifier_is_finished_and_handed_out_once() -> None:
    judge = classifier.digit_classifier()
    assert judge is classifier.digit_classifier()
    assert not judge.training
    assert not any(parameter.requires_grad for parameter in judge.parameters())


def test_describing_clamps_and_does_not_depend_on_the_batch_size() -> None:
    torch.manual_seed(0)
    judge = DigitClassifier().eval()
    images = 3 * torch.randn(7, 1, 32, 32)
    features, read = classifier.describe(images, judge)
    assert features.shape == (7, classifier.FEATURES) and read.shape == (7,)
    parts, same = classifier.describe(images.clamp(-1, 1), judge, batch_size=3)
    assert torch.allclose(features, parts, atol=1e-5) and torch.equal(read, same)
    assert torch.equal(judge(images.clamp(-1, 1)).argmax(dim=1), read)


def test_a_batch_is_made_of_every_source() -> None:
    sources = Constant(-1.0, 1), Constant(-1.0, 2), Constant(-1.0, 3)
    trainer = ClassifierTrainer(*sources, share=0.1)
    trainer.model = DigitClassifier()
    loss = trainer.get_train_loss(50)
    assert loss.ndim == 0 and loss.requires_grad
    assert [source.counts for source in sources] == [[40], [5], [5]]


def test_jitter_moves_digits_and_keeps_paper_black() -> None:
    torch.manual_seed(0)
    images = torch.full((32, 1, 32, 32), -1.0)
    images[:, :, 12:20, 12:20] = 1.0
    moved = jitter(images)
    assert moved.shape == images.shape
    assert float(moved.min()) >= -1 and float(moved.max()) <= 1 + 1e-5
    assert bool((moved[:, :, 0, 0] == -1).all())
    assert len({round(float(image.sum()), 3) for image in moved}) > 16
    ink, before = (moved + 1).sum(), (images + 1).sum()
    assert 0.8 < float(ink / before) < 1.25


def test_training_learns_the_embedded_digits() -> None:
    torch.manual_seed(0)
    digits = MNISTSampler(source="digits")
    net = DigitClassifier()
    losses, _ = ClassifierTrainer(digits).train(net, 40, lr=3e-3, batch_size=32, seed=0)
    assert losses[-5:].mean() < 0.75 * losses[:5].mean()
