"""MNISTSampler against resizing each image through PIL, as torchvision's transforms do.

    python benchmarks/mnist_sampler.py

Both draw 256 images on the CPU from the same data in memory: MNIST where it is on disk or can be
downloaded, else scikit-learn's digits. The two take turns; medians of 20 draws each are compared.
Threads are torch's own choice; on a machine that is busy with other jobs, OMP_NUM_THREADS=1 keeps
torch from waiting for a core that another job holds. Expected: at least 30 times faster, and at
most 250 MB of prepared data. Exits with 1 otherwise.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import Compose, Normalize, Resize, ToTensor

from course_utils.mnist import MNISTSampler, _data_folder, _digits_table
from course_utils.mnist_files import TRAIN, find, raw_folder, read

NUM_SAMPLES = 256
REPETITIONS = 20
LEAST_RATIO = 30
MOST_MEGABYTES = 250


class PerItemSampler:
    """Bytes in memory; each image drawn goes through PIL and torchvision's transforms."""

    def __init__(self, images: np.ndarray, labels: np.ndarray) -> None:
        self.images, self.labels = images, labels
        self.transform = Compose([Resize(32), ToTensor(), Normalize((0.5,), (0.5,))])

    def sample(self, num_samples: int) -> tuple[Tensor, Tensor]:
        picks = torch.randperm(len(self.images))[:num_samples].tolist()
        images = [self.transform(Image.fromarray(self.images[pick])) for pick in picks]
        return torch.stack(images), torch.tensor([int(self.labels[pick]) for pick in picks])


def raw_data(source: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels before any resizing."""
    if source == "digits":
        table = _digits_table()
        return (table[:, :64] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8), table[:, 64]
    folder = raw_folder(_data_folder(None)[0])
    images, labels = (read(find(folder, spec), spec) for spec in (TRAIN.images, TRAIN.labels))
    return images, labels


def seconds(draw: Callable[[int], object]) -> float:
    started = time.perf_counter()
    draw(NUM_SAMPLES)
    return time.perf_counter() - started


def main() -> int:
    sampler = MNISTSampler()
    baseline = PerItemSampler(*raw_data(sampler.source))
    for draw in (sampler.sample, baseline.sample):
        draw(NUM_SAMPLES)
    pairs = [(seconds(sampler.sample), seconds(baseline.sample)) for _ in range(REPETITIONS)]
    ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    megabytes = sum(buffer.nbytes for buffer in sampler.buffers()) / 1e6
    print(
        f"data       {sampler.source}, {len(sampler):,} images, {torch.get_num_threads()} threads"
    )
    print(f"sampler    {1e3 * ours:8.3f} ms for {NUM_SAMPLES} images")
    print(f"per item   {1e3 * theirs:8.3f} ms for {NUM_SAMPLES} images")
    print(f"ratio      {theirs / ours:8.1f} (at least {LEAST_RATIO})")
    print(f"memory     {megabytes:8.1f} MB of prepared data (at most {MOST_MEGABYTES})")
    return 0 if theirs / ours >= LEAST_RATIO and megabytes <= MOST_MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
