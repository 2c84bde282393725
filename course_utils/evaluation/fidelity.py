"""How good generated digits are: right, like real ones, and as varied, each with its uncertainty.

Images are compared by what a classifier that never saw the generative model says about them: its
reading, and its features. All intervals are 95 % ones, and say how far the number would move if
other samples of the same model had been drawn. Everything is computed in float64 on the CPU.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from course_utils.evaluation.distances import to_float64
from course_utils.mnist import MNISTSampler

Z = 1.959964
"""Half the width of a 95 % interval, in standard errors."""

# Distances from this many images at a time to all others: bounds memory for large classes.
_ROWS = 512
_PREFIX = "reference."


class Estimate(NamedTuple):
    """A number, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Such as ``0.981 (0.972 to 0.989)``, with the digits that the interval warrants."""
        half = (self.high - self.low) / 2
        known = math.isfinite(half) and half > 0
        digits = min(6, max(0, -math.floor(math.log10(half / 3)))) if known else 3
        low, high = f"{self.low:.{digits}f}", f"{self.high:.{digits}f}"
        return f"{self.value:.{digits}f} ({low} to {high})"


class Scores(NamedTuple):
    """What :func:`score` says about a set of images."""

    accuracy: Estimate
    frechet: Estimate
    diversity: Estimate

    def __str__(self) -> str:
        return (
            f"accuracy {self.accuracy}, Fréchet distance {self.frechet}, diversity {self.diversity}"
        )


@dataclass(frozen=True, eq=False)
class Reference:
    """Real images, summed up: what generated ones are compared with.

    Attributes:
        mean: of the features, `(d,)` float64.
        covariance: of the features, `(d, d)` float64.
        spread: of each class, the mean distance between the features of two of its images,
            `(num_classes,)` float64.
        count: how many images.
        source: which images, such as "mnist".
    """

    mean: Tensor
    covariance: Tensor
    spread: Tensor
    count: int
    source: str

    @classmethod
    def of_features(
        cls,
        features: Float[Tensor, "..."],
        labels: Shaped[Tensor, "..."],
        source: str,
        num_classes: int = 10,
    ) -> "Reference":
        """The statistics of real images from their features `(n, d)` and labels `(n,)`.

        Raises:
            ValueError: as for :func:`diversity`, or a class has fewer than two images.
        """
        x = _checked_features(features)
        y = _checked_labels(labels, len(x), num_classes)
        groups = [x[y == label] for label in range(num_classes)]
        few = [label for label, group in enumerate(groups) if len(group) < 2]
        if few:
            raise ValueError(
                f"classes {few} have fewer than two images; expected at least two of each of the "
                f"{num_classes} classes, to measure how far apart they lie."
            )
        spread = torch.stack([_mean_distances(group).mean() for group in groups])
        return cls(*_moments(x), spread, len(x), source)

    def tensors(self) -> dict[str, Tensor]:
        """All of it as tensors with names that start with "reference.", to be kept in a file."""
        values = {
            "mean": self.mean,
            "covariance": self.covariance,
            "spread": self.spread,
            "count": torch.tensor(self.count),
            "source": torch.tensor(list(self.source.encode()), dtype=torch.uint8),
        }
        return {_PREFIX + name: value for name, value in values.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> "Reference":
        """The reverse of :meth:`tensors`; tensors of other names are passed over.

        Raises:
            ValueError: one of them is missing.
        """
        names = ("mean", "covariance", "spread", "count", "source")
        missing = [_PREFIX + name for name in names if _PREFIX + name not in tensors]
        if missing:
            raise ValueError(
                f"no {', '.join(missing)} among {sorted(tensors)}; expected what "
                "Reference.tensors() returned."
            )
        mean, covariance, spread, count, source = (tensors[_PREFIX + name] for name in names)
        name = bytes(source.tolist()).decode()
        return cls(mean.double(), covariance.double(), spread.double(), int(count), name)


# ------------------------------------------------------------------------------- the three scores


@torch.no_grad()
def accuracy(predicted: Shaped[Tensor, "..."], wanted: Shaped[Tensor, "..."]) -> Estimate:
    """The share of `predicted` labels that are the `wanted` ones, both `(n,)`.

    The interval is Wilson's (1927, "Probable inference, the law of succession, and statistical
    inference"): inside [0, 1], and right near its ends, where value ± 2 standard errors is not.

    Raises:
        ValueError: the shapes differ, or there are no labels.
    """
    if predicted.shape != wanted.shape or predicted.ndim != 1 or len(predicted) == 0:
        raise ValueError(
            f"predicted has shape {tuple(predicted.shape)} and wanted {tuple(wanted.shape)}; "
            "expected one label for each image, (n,), in both."
        )
    n = len(predicted)
    p = int((predicted.cpu() == wanted.cpu()).sum()) / n
    centre = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    return Estimate(p, max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half)))


@torch.no_grad()
def frechet_distance(features: Float[Tensor, "..."], reference: Reference) -> Estimate:
    """How far two Gaussians lie apart that have the moments of `features` and of real images.

    ‖μ − μ'‖² + tr(Σ + Σ' − 2 (ΣΣ')^{1/2}): Dowson and Landau 1982, "The Fréchet distance between
    multivariate normal distributions"; for images Heusel et al. 2017, "GANs trained by a two
    time-scale update rule", equation 6. It is in squared units of the features, and 0 for equal
    moments.

    Few samples bring a bias, since noise in μ and Σ can only add: even for perfect samples the
    value is about tr Σ (d + 5) / 4n where all directions vary alike, and less where few do. The
    interval is that of the expected value at this n; so compare sets of the same size.

    Args:
        features: `(n, d)`, n at least 2.

    Raises:
        ValueError: another shape, another d than that of `reference`, or a value that is no number.
    """
    x = _checked_features(features)
    if x.shape[1] != len(reference.mean):
        raise ValueError(
            f"features have {x.shape[1]} dimensions and the reference {len(reference.mean)}; "
            "expected features of the classifier that the reference was made with."
        )
    mean, covariance = _moments(x)
    root, inverse_root = _square_roots(covariance)
    real_root, _ = _square_roots(reference.covariance)
    # The singular values of Σ^{1/2} Σ'^{1/2} are the roots of ΣΣ''s eigenvalues, and precise
    # also where those are zero.
    u, s, _ = torch.linalg.svd(root @ real_root)
    shift, x = mean - reference.mean, x - mean
    value = shift.square().sum() + (covariance + reference.covariance).trace() - 2 * s.sum()
    # How much each sample moves the value: 2 (μ − μ')·x + xᵀ(1 − T)x, the derivative with respect
    # to μ and Σ, with T = Σ^{-1/2} (Σ^{1/2} Σ' Σ^{1/2})^{1/2} Σ^{-1/2} the map that carries Σ to
    # Σ'. Its spread gives the standard error (the infinitesimal jackknife). Resampling would not
    # do: a bootstrap sample holds 63 % of the images, so it adds the bias a second time, and its
    # percentiles lie above the value, often without containing it.
    transported = ((x @ inverse_root @ u).square() * s).sum(dim=1)
    influence = 2 * x @ shift + x.square().sum(dim=1) - transported
    half = Z * float(influence.std()) / math.sqrt(len(x))
    return _interval(max(0.0, float(value)), half)


@torch.no_grad()
def diversity(
    features: Float[Tensor, "..."], labels: Shaped[Tensor, "..."], reference: Reference
) -> Estimate:
    """How far apart images of one class lie, relative to real ones: 1 is as varied as the data.

    The mean distance between the features of two images of a class, divided by that of real images
    of the class; then the mean over classes. Near 0 a model draws one and the same image of each.
    The interval takes the real images' distances for exact.

    Args:
        features: `(n, d)`.
        labels: `(n,)`, integers below the reference's number of classes. Classes with fewer than
            two images are left out of the mean.

    Raises:
        ValueError: the shapes do not fit, a value is no number, a label is out of range, or no
            class has two images.
    """
    x = _checked_features(features)
    y = _checked_labels(labels, len(x), len(reference.spread))
    ratios, variances = [], []
    for label, real in enumerate(reference.spread.tolist()):
        distances = _mean_distances(x[y == label])
        n = len(distances)
        if n < 2:
            continue
        ratios.append(float(distances.mean()) / real)
        # Jackknife of a mean over pairs. Of a single pair it knows nothing: then the error is
        # taken to be as large as the distance itself.
        scatter = float((distances - distances.mean()).square().sum()) / real**2
        variances.append(4 * (n - 1) / (n * (n - 2) ** 2) * scatter if n > 2 else ratios[-1] ** 2)
    if not ratios:
        raise ValueError(
            f"none of the {len(reference.spread)} classes has two of the {len(x)} images; expected "
            "a class with at least two, to measure how far apart they lie. Draw more images."
        )
    return _interval(sum(ratios) / len(ratios), Z * math.sqrt(sum(variances)) / len(ratios))


# ------------------------------------------------------------------------------------ for images


@torch.no_grad()
def score(
    images: Float[Tensor, "..."],
    labels: Shaped[Tensor, "..."],
    reference: Reference,
    classifier: nn.Module | None = None,
    batch_size: int = 500,
) -> Scores:
    """Accuracy, Fréchet distance and diversity of generated images.

    Args:
        images: `(n, 1, 32, 32)`; values beyond [-1, 1] are clamped, as they are when shown.
        labels: `(n,)`, the digits that were asked for.
        reference: what to compare with, from :func:`reference`.
        classifier: a DigitClassifier. Without it, the one that ships with the course.
        batch_size: how many images it is shown at a time, on its device.

    Raises:
        ValueError: the images or labels do not fit, hold values that are no numbers, or include
            the null label, which asks for no digit.
    """
    if images.ndim != 4 or images.shape[1] != 1 or len(images) < 2:
        raise ValueError(
            f"images have shape {tuple(images.shape)}; expected (n, 1, 32, 32) with n at least 2."
        )
    y = _checked_labels(labels, len(images), len(reference.spread))
    # The classifier's module stores a Reference with the weights, so it imports this one.
    from course_utils.evaluation.classifier import describe

    judge: Any = classifier
    features, read = describe(images, judge, batch_size)
    return Scores(
        accuracy(read, y), frechet_distance(features, reference), diversity(features, y, reference)
    )


@cache
def reference(source: str = "mnist") -> Reference:
    """The statistics of real digits, in the features of the course's classifier.

    Args:
        source: "mnist", which come with the classifier and need no data; or "digits", computed
            from the 1,797 digits that scikit-learn ships, once for the process.

    Raises:
        ValueError: another source.
    """
    if source not in ("mnist", "digits"):
        raise ValueError(f'source is {source!r}; expected "mnist" or "digits".')
    from course_utils.evaluation.classifier import describe, stored_reference

    if source == "mnist":
        return stored_reference()
    splits = [MNISTSampler(train=train, source="digits").subset() for train in (True, False)]
    images, labels = (torch.cat(parts) for parts in zip(*splits, strict=True))
    features, _ = describe(images)
    return Reference.of_features(features, labels, source)


# ------------------------------------------------------------------------------------ mathematics


def _interval(value: float, half: float) -> Estimate:
    return Estimate(value, max(0.0, value - half), value + half)


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean `(d,)` and covariance `(d, d)`, with the divisor n − 1."""
    mean = x.mean(dim=0)
    centred = x - mean
    return mean, centred.T @ centred / (len(x) - 1)


def _square_roots(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """Σ^{1/2} and its pseudo-inverse, from the eigenvalues of the symmetric Σ."""
    values, vectors = torch.linalg.eigh(covariance)
    roots = values.clamp(min=0).sqrt()  # rounding makes zero a little negative
    # Fewer samples than dimensions leave directions without any variance.
    inverses = torch.where(values > 1e-12 * values[-1], 1 / roots, torch.zeros_like(roots))
    return vectors * roots @ vectors.T, vectors * inverses @ vectors.T


def _mean_distances(x: Tensor) -> Tensor:
    """Of each sample, the mean distance to the others: `n d -> n` (empty for fewer than two)."""
    if len(x) < 2:
        return x.new_zeros(0)
    sums = [torch.cdist(rows, x).sum(dim=1) for rows in x.split(_ROWS)]
    return torch.cat(sums) / (len(x) - 1)


def _checked_features(features: Tensor) -> Tensor:
    if features.ndim != 2 or len(features) < 2 or features.shape[1] == 0:
        raise ValueError(
            f"features have shape {tuple(features.shape)}; expected (n, d), one row for each of at "
            "least two images."
        )
    x = to_float64(features.detach(), torch.device("cpu"))
    broken = int((~x.isfinite()).any(dim=1).sum())
    if broken:
        raise ValueError(
            f"the features of {broken} of {len(x)} images are infinite or NaN; expected numbers. "
            "Look at the images: the model that drew them may have diverged."
        )
    return x


def _checked_labels(labels: Tensor, n: int, num_classes: int) -> Tensor:
    if labels.shape != (n,) or labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(
            f"labels have shape {tuple(labels.shape)} and dtype {labels.dtype}; expected ({n},) "
            "with an integer dtype, one label for each image."
        )
    y = labels.detach().cpu().long()
    low, high = (int(bound) for bound in y.aminmax()) if n else (0, 0)
    if low < 0 or high >= num_classes:
        raise ValueError(
            f"labels lie in {low} … {high}; expected 0 … {num_classes - 1}. "
            f"Images of the null label show no digit that was asked for: leave them out with "
            f"images[labels < {num_classes}]."
        )
    return y
