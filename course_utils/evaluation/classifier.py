"""A small classifier of digits, which judges what the generative models of the labs have made.

It is trained on MNIST and on scikit-learn's digits together, so that one judge serves both kinds of
data, and has nothing in common with the networks that it judges.
"""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import affine_grid, cross_entropy, grid_sample

from course_utils import pretrained
from course_utils.distributions import LabeledSampleable
from course_utils.evaluation.fidelity import Reference
from course_utils.mnist import MNISTSampler
from course_utils.training import Trainer

FEATURES = 64
"""How many numbers describe an image: what distances between sets of images are measured in."""


class DigitClassifier(nn.Module):
    """Six convolutions, the mean over the image, one linear layer: 0.2 million parameters.

    Images ``b 1 32 32`` in [-1, 1] go in, logits ``b num_classes`` come out.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        widths = [(1, 24, 1), (24, 32, 2), (32, 48, 1), (48, 64, 2), (64, 96, 1), (96, 96, 2)]
        self.body = nn.Sequential(*(_layer(*width) for width in widths))
        self.describe = nn.Linear(96, FEATURES)
        self.head = nn.Linear(FEATURES, num_classes)

    def features(self, images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b d"]:
        """The last layer but one, `b 64`, without a unit or bounds."""
        return self.describe(self.body(images).mean(dim=(2, 3)))

    def forward(self, images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b classes"]:
        """Logits, `b num_classes`."""
        return self.classify(self.features(images))

    def classify(self, features: Float[Tensor, "b d"]) -> Float[Tensor, "b classes"]:
        """Logits from :meth:`features`."""
        return self.head(torch.relu(features))


def _layer(channels_in: int, channels_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


class ClassifierTrainer(Trainer):
    """Cross-entropy on slightly turned, scaled and shifted digits.

    Args:
        sources: what each batch is made of: the first one mostly.
        share: of a batch, what each of the other sources gives, such as 0.1.
    """

    def __init__(self, *sources: LabeledSampleable, share: float = 0.1) -> None:
        super().__init__()
        self.sources, self.share = sources, share

    def get_optimizer(self, model: nn.Module, lr: float) -> torch.optim.Optimizer:
        """AdamW (Loshchilov and Hutter 2019)."""
        return torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=1e-2)

    def get_train_loss(self, batch_size: int) -> Float[Tensor, ""]:
        """The mean cross-entropy of one random batch."""
        small = int(batch_size * self.share)
        counts = [batch_size - small * (len(self.sources) - 1)] + [small] * (len(self.sources) - 1)
        drawn = [source.sample(n) for source, n in zip(self.sources, counts, strict=True)]
        images = torch.cat([image for image, _ in drawn])
        labels = torch.cat([label for _, label in drawn])
        return cross_entropy(self.model(jitter(images)), labels, label_smoothing=0.02)


def jitter(images: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
    """Each image turned by up to 12°, scaled and sheared by up to 10 %, moved by up to 2 pixels."""
    b, size = len(images), images.shape[-1]

    def spread(width: float) -> Tensor:
        return width * (2 * torch.rand(b, device=images.device) - 1)

    angle, shear = spread(0.21), spread(0.1)
    wide, high = 1 + spread(0.1), 1 + spread(0.1)
    rows = [
        torch.stack([wide * angle.cos(), shear - angle.sin(), spread(4 / size)], dim=1),
        torch.stack([angle.sin(), high * angle.cos(), spread(4 / size)], dim=1),
    ]
    grid = affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    # Outside an image is paper: black, -1.
    return grid_sample(images + 1, grid, align_corners=False) - 1


@cache
def digit_classifier() -> DigitClassifier:
    """The classifier that ships with the course, on the CPU, in eval mode and without gradients.

    Raises ValueError where its weights are missing from the installation or damaged.
    """
    classifier = DigitClassifier()
    pretrained.fill(classifier, "classifier")
    return classifier.eval().requires_grad_(False)


def stored_reference() -> Reference:
    """The statistics of MNIST's test images, as they were stored with the classifier.

    Raises ValueError as :func:`digit_classifier` does.
    """
    return Reference.from_tensors(pretrained.read("classifier").tensors)


@torch.no_grad()
def describe(
    images: Float[Tensor, "n 1 h w"],
    classifier: DigitClassifier | None = None,
    batch_size: int = 500,
) -> tuple[Float[Tensor, "n d"], Int[Tensor, " n"]]:
    """Features ``n 64`` and the digits read, ``n``, by a classifier (the shipped one); on the CPU.

    Values outside [-1, 1] are clamped: a picture cannot show them.
    """
    judge = digit_classifier() if classifier is None else classifier
    like = next(judge.parameters())
    features, read = [], []
    for part in images.split(batch_size):
        described = judge.features(part.to(like.device, like.dtype).clamp(-1, 1))
        features.append(described.cpu())
        read.append(judge.classify(described).argmax(dim=1).cpu())
    return torch.cat(features), torch.cat(read)


def accuracy_on(
    data: MNISTSampler, classifier: DigitClassifier | None = None
) -> tuple[float, Reference]:
    """How many of the images of ``data`` are read as their label, and their statistics."""
    images, labels = data.subset()
    features, read = describe(images, classifier)
    right = float((read == labels.cpu()).double().mean())
    return right, Reference.of_features(features, labels.cpu(), data.source)
