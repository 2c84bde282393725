"""MNIST as a distribution: images 1×32×32 in [-1, 1] with their labels.

The data come from the first of: MNIST on disk; MNIST downloaded; where no mirror can be reached,
the 1,797 handwritten digits of 8×8 pixels that scikit-learn ships (Alpaydin and Kaynak, "Optical
recognition of handwritten digits"). They are resized once, for the whole process, and kept as
bytes, a quarter of the memory of float32 and quick to index.
"""

import gzip
import importlib.util
import os
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped, UInt8
from torch import Tensor, nn
from torch.nn.functional import interpolate

from course_utils.distributions import LabeledSampleable, check_num_samples
from course_utils.mnist_files import (
    TEST,
    TRAIN,
    DataError,
    DownloadError,
    FileSpec,
    Split,
    StorageError,
    download,
    find,
    raw_folder,
    read,
)

IMAGE_SIZE = 32
NUM_CLASSES = 10
# Of scikit-learn's digits, the share held back for testing is one in this many.
DIGITS_TEST_STRIDE = 6


class Prepared(NamedTuple):
    """Images `(n, 1, 32, 32)` uint8 and labels `(n,)` int64, in the order of the files."""

    images: Tensor
    labels: Tensor


class MNISTSampler(nn.Module, LabeledSampleable):
    """Pairs (image, label) of MNIST, or of scikit-learn's digits where MNIST is out of reach.

    Samples are drawn where the module lies: `.to(device)` moves the data, `.to(dtype)` changes
    nothing. The data are no part of `state_dict()`.

    Args:
        root: the data folder, which holds `MNIST/raw`. Without it, the folder that COURSE_DATA
            names, or else `./data`. Only the last need not exist.
        train: the training data (MNIST: 60,000 images; digits: 1,497) or the test data
            (10,000; 300).
        source: "mnist" insists on MNIST; "digits" takes scikit-learn's digits; "auto" takes MNIST
            where it is on disk or can be downloaded (COURSE_OFFLINE=1 forbids that), and the
            digits otherwise, with one notice on stdout.
        mirrors: addresses to download from. Without them, those in COURSE_MNIST_MIRRORS
            (separated by spaces), or else torchvision's.

    Attributes:
        source: "mnist" or "digits", what the images really are.
        split: "train" or "test".
        num_classes: 10.
        shape: (1, 32, 32), of one image.

    Raises:
        ValueError: `source` is none of the three.
        DataError: the folder named does not exist or cannot be written, a file is damaged, or
            MNIST is insisted on and cannot be had.
    """

    _images: Tensor
    _labels: Tensor

    num_classes = NUM_CLASSES
    shape = (1, IMAGE_SIZE, IMAGE_SIZE)

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        train: bool = True,
        source: str = "auto",
        *,
        mirrors: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        if source not in ("auto", "mnist", "digits"):
            raise ValueError(f'source is {source!r}; expected "auto", "mnist" or "digits".')
        folder = None if source == "digits" else _mnist_folder(root, source == "mnist", mirrors)
        data = _digits(train) if folder is None else _mnist(folder, TRAIN if train else TEST)
        self.source: Literal["mnist", "digits"] = "digits" if folder is None else "mnist"
        self.split: Literal["train", "test"] = "train" if train else "test"
        # Shared by all samplers of a process, and never handed out.
        self.register_buffer("_images", data.images, persistent=False)
        self.register_buffer("_labels", data.labels, persistent=False)

    def __len__(self) -> int:
        """How many images there are."""
        return len(self._labels)

    def extra_repr(self) -> str:
        """What `print(sampler)` shows between the brackets."""
        return f"source={self.source!r}, split={self.split!r}, images={len(self):,}"

    def sample(self, num_samples: int) -> tuple[Float[Tensor, "n 1 32 32"], Int64[Tensor, "n"]]:
        """Images in [-1, 1] and their labels, all different within one call.

        They are drawn uniformly without replacement, so `sample(len(sampler))` is a permutation;
        separate calls are independent.

        Raises:
            ValueError: `num_samples` is no whole number from 1 to `len(self)`.
        """
        n = self._check_count(num_samples)
        return self._at(_distinct(n, len(self), self._labels.device))

    def sample_given(
        self, labels: Shaped[Tensor, "..."] | Sequence[int]
    ) -> Float[Tensor, "n 1 32 32"]:
        """An image of each label asked for, all different within one call.

        Args:
            labels: `(n,)`, integers from 0 to 9, as a list or as a tensor on any device.

        Raises:
            ValueError: another shape or dtype, a label outside 0 … 9, or more images of a class
                than there are.
        """
        labels = _check_labels(torch.as_tensor(labels)).to(self._labels.device)
        picks = torch.empty_like(labels)
        for label in labels.unique().tolist():
            wanted = labels == label
            of_class = (self._labels == label).nonzero()[:, 0]
            n = int(wanted.sum())
            if n > len(of_class):
                raise ValueError(
                    f"{n} images of the digit {label} were asked for; this sampler "
                    f"holds {len(of_class)} of it. Ask for fewer at a time."
                )
            order = torch.randperm(len(of_class), device=of_class.device)
            picks[wanted] = of_class[order[:n]]
        return self._at(picks)[0]

    def subset(
        self, num_samples: int | None = None
    ) -> tuple[Float[Tensor, "n 1 32 32"], Int64[Tensor, "n"]]:
        """The first `num_samples` images and labels, always the same ones; None gives all.

        All 60,000 images of MNIST take 246 MB as float32.

        Raises:
            ValueError: `num_samples` is no whole number from 1 to `len(self)`.
        """
        n = len(self) if num_samples is None else self._check_count(num_samples)
        return self._at(torch.arange(n, device=self._labels.device))

    def _at(self, picks: Tensor) -> tuple[Tensor, Tensor]:
        # 255 / 127.5 - 1 is exactly 1. Indexing copies, so nobody can write into the data.
        images = self._images.index_select(0, picks).float().div_(127.5).sub_(1)
        return images, self._labels.index_select(0, picks)

    def _check_count(self, num_samples: object) -> int:
        n = check_num_samples(num_samples)
        if n > len(self):
            raise ValueError(
                f"num_samples is {n:,}; expected at most {len(self):,}, the number of images "
                f"in these data ({self.source}, {self.split}). "
                "Draw them in several calls."
            )
        return n


def _distinct(n: int, size: int, device: torch.device) -> Tensor:
    """`n` different numbers below `size`, in random order, every choice equally likely."""
    # Shuffling 60,000 numbers takes longer than preparing 256 images. For few of many it is
    # quicker to draw with replacement until all differ: two or three times for n² ≤ 2 size.
    while device.type == "cpu" and n * n <= 2 * size:
        picks = torch.randint(size, (n,))
        if len(picks.unique()) == n:
            return picks
    return torch.randperm(size, device=device)[:n]


def _check_labels(labels: Tensor) -> Tensor:
    if labels.ndim != 1 or labels.dtype == torch.bool or labels.is_floating_point():
        raise ValueError(
            f"labels have shape {tuple(labels.shape)} and dtype {labels.dtype}; expected (n,) "
            "with an integer dtype."
        )
    labels = labels.to(torch.int64)
    low, high = (int(bound) for bound in labels.aminmax()) if labels.numel() else (0, 0)
    if low < 0 or high >= NUM_CLASSES:
        raise ValueError(
            f"labels lie in {low} … {high}; expected digits 0 … {NUM_CLASSES - 1}. The null label "
            "has no images of its own: use sample() for those of any class."
        )
    return labels


# ---- Where the data come from ----

_lock = threading.RLock()
_prepared: dict[Path, tuple[object, Prepared]] = {}
_failures: dict[object, DownloadError] = {}
_noticed = False


def _mnist_folder(
    root: str | os.PathLike[str] | None, insist: bool, mirrors: Sequence[str] | None
) -> Path | None:
    """The folder with all four files, downloaded if need be; None where digits must do."""
    data_folder, named = _data_folder(root)
    folder = raw_folder(data_folder)
    specs = [spec for split in (TRAIN, TEST) for spec in (split.images, split.labels)]
    with _lock:
        # All four or none: training on MNIST and testing on other digits would mislead.
        missing = [spec for spec in specs if find(folder, spec) is None]
        if not missing:
            return folder
        try:
            _obtain(folder, missing, mirrors, again=insist)
            return folder
        except (DownloadError, StorageError) as error:
            # Who named a folder wants the data there, and can mend it.
            if named and isinstance(error, StorageError):
                raise
            if not insist:
                _notice(folder, error)
                return None
            names = ", ".join(spec.name for spec in missing)
            raise DataError(
                f"MNIST is not complete in {folder} (without {names}), and {error}. Copy the "
                'files there, connect to the network, or use source="digits".'
            ) from None


def _obtain(
    folder: Path, missing: Sequence[FileSpec], mirrors: Sequence[str] | None, again: bool
) -> None:
    """Downloads what is missing; fails at once where no mirror helped before, unless `again`."""
    if os.environ.get("COURSE_OFFLINE", "").strip() not in ("", "0"):
        raise DownloadError("COURSE_OFFLINE forbids the download")
    variable = os.environ.get("COURSE_MNIST_MIRRORS", "")
    attempt = (folder, tuple(variable.split() if mirrors is None else mirrors))
    if attempt in _failures and not again:
        raise _failures[attempt].with_traceback(None)
    try:
        download(folder, missing, attempt[1] or _torchvision_mirrors())
    except DownloadError as error:
        _failures[attempt] = error
        raise


def _torchvision_mirrors() -> Sequence[str]:
    from torchvision.datasets import MNIST  # slow to import, and needed for this alone

    return MNIST.mirrors


def _data_folder(root: str | os.PathLike[str] | None) -> tuple[Path, bool]:
    """The data folder, and whether somebody named it."""
    variable = os.environ.get("COURSE_DATA", "").strip()
    if root is None and not variable:
        return Path("data").absolute(), False
    folder = Path(variable if root is None else root).expanduser().absolute()
    try:
        fault = "" if folder.is_dir() else "not a folder" if folder.exists() else "missing"
    except OSError as error:
        fault = f"out of reach ({error.strerror})"
    if fault:
        named_by = "COURSE_DATA" if root is None else "root"
        raise DataError(
            f"{named_by} names {folder}, which is {fault}. Expected an existing folder that holds "
            "MNIST/raw, or into which MNIST is to be downloaded. Create it, correct "
            f"{named_by}, or leave it out to use ./data."
        )
    return folder, True


def _notice(folder: Path, error: Exception) -> None:
    global _noticed
    if not _noticed:
        print(
            f"MNIST is not in {folder} and cannot be fetched: {error}.\n"
            "Using scikit-learn's 1,797 handwritten digits instead, on which everything runs. For "
            "MNIST, point COURSE_DATA at a folder that holds MNIST/raw, or connect and restart."
        )
    _noticed = True


def _mnist(folder: Path, split: Split) -> Prepared:
    """One split of MNIST, read and resized once for the process unless its files change."""
    with _lock:
        paths = [find(folder, spec) or folder / spec.name for spec in (split.images, split.labels)]
        key, stamp = folder / split.images.name, [_stamp(path) for path in paths]
        held = _prepared.get(key)
        if held is None or held[0] != stamp:
            images = torch.from_numpy(read(paths[0], split.images))[:, None]
            labels = torch.from_numpy(read(paths[1], split.labels)).to(torch.int64)
            held = _prepared[key] = stamp, Prepared(_resized(images), labels)
        return held[1]


def _stamp(path: Path) -> tuple[Path, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None  # reading it says what is wrong
    return path, status.st_size, status.st_mtime_ns


@cache
def _digits(train: bool) -> Prepared:
    """scikit-learn's digits, split by class: of each, one in six is for testing."""
    table = torch.from_numpy(_digits_table())
    images, labels = table[:, :64].reshape(-1, 1, 8, 8), table[:, 64].to(torch.int64)
    # Grey levels run from 0 to 16.
    resized = _resized((images * (255 / 16)).round().to(torch.uint8))
    by_class = labels.argsort(stable=True)
    is_test = torch.zeros_like(labels, dtype=torch.bool)
    is_test[by_class[::DIGITS_TEST_STRIDE]] = True
    chosen = ~is_test if train else is_test
    return Prepared(resized[chosen], labels[chosen])


def _digits_table() -> np.ndarray:
    """`(1797, 65)`: 64 grey levels from 0 to 16, then the label."""
    # Importing scikit-learn takes seconds and finding its file does not.
    package = importlib.util.find_spec("sklearn")
    for place in (package and package.submodule_search_locations) or ():
        path = Path(place, "datasets", "data", "digits.csv.gz")
        if path.is_file():
            with gzip.open(path, "rt") as file:
                return np.loadtxt(file, delimiter=",", dtype=np.float32)
    from sklearn.datasets import load_digits

    digits = load_digits()
    return np.column_stack([digits.data, digits.target]).astype(np.float32)


def _resized(images: UInt8[Tensor, "n 1 height width"]) -> UInt8[Tensor, "n 1 32 32"]:
    """Bilinear and antialiased on bytes, as PIL resizes an image (within one grey level)."""
    size = (IMAGE_SIZE, IMAGE_SIZE)
    return interpolate(images, size, mode="bilinear", antialias=True)
