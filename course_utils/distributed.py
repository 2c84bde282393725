"""One run on several processes, as ``torchrun`` starts them.

Every process draws the same whole batch from the same random stream, sends its own share through
the network, and gathers the others' outputs: so a loss is written as for one process, and N
processes take the steps that one would with the same whole batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import torch
from torch import Tensor, nn


def world_size() -> int:
    """How many processes take part: 1 unless a launcher has set ``WORLD_SIZE``."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this process is the one that writes files and speaks."""
    return int(os.environ.get("RANK", "0")) == 0


def local_device(device: torch.device) -> torch.device:
    """This process's own device: the GPU of its local rank, where ``device`` is a GPU."""
    if device.type == "cuda" and world_size() > 1:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return device


@contextmanager
def together(device: torch.device) -> Iterator[None]:
    """The processes of a launcher meet here, and part at the end; alone, nothing happens.

    Only the main one speaks meanwhile.
    """
    import torch.distributed as dist

    if world_size() == 1 or dist.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        with _silence():
            yield
    finally:
        dist.destroy_process_group()


@contextmanager
def _silence() -> Iterator[None]:
    if is_main():
        yield
        return
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
        yield


class Shared(nn.Module):
    """A network whose batch is shared out over the processes of :func:`together`.

    Calling it with whole batches returns the whole batch's output, on every process. A loss of
    that output is the same everywhere; its gradients are averaged by DistributedDataParallel, and
    gathering adds up what every process asks of a share, so the two factors cancel.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.parallel = nn.parallel.DistributedDataParallel(model)

    def forward(self, *inputs: Tensor) -> Tensor:
        """The output for whole batches, each ``b ...``.

        Raises ValueError where the processes cannot share the batch evenly.
        """
        import torch.distributed as dist
        from torch.distributed.nn.functional import all_gather

        count, rank = dist.get_world_size(), dist.get_rank()
        if any(len(whole) % count for whole in inputs):
            raise ValueError(
                f"A batch of {len(inputs[0])} cannot be shared evenly by {count} processes. "
                f"Choose a batch size that is a multiple of {count}."
            )
        shares = [whole.chunk(count)[rank] for whole in inputs]
        return torch.cat(all_gather(self.parallel(*shares).contiguous()))
