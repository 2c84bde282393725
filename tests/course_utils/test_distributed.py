"""Two processes take the steps that one takes with twice the batch."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from course_utils import distributed

SCRIPT = """
import sys
import torch
from torch import nn
from course_utils.training import Trainer

class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 16), nn.SiLU(), nn.Linear(16, 1))
    def forward(self, x, t):
        return self.net(torch.stack([x, t], dim=1))[:, 0]

class Fit(Trainer):
    def get_train_loss(self, batch_size):
        x, t = torch.randn(batch_size), torch.rand(batch_size)
        # The items' weights differ, so that a mean of shares would not do.
        return (self.model(x, t) - 2 * x).square().mul(1 + x.abs()).sum() / batch_size

torch.manual_seed(0)
model = Toy()
losses, _ = Fit().train(
    model, 25, 3e-2, batch_size=int(sys.argv[2]), run_name="run", run_dir=sys.argv[1],
    ema_decay=0.9, clip_norm=1.0, lr_schedule="cosine", seed=0, ckpt_every=10,
)
print("finished")
"""


def curve(folder: Path) -> list[float]:
    with (folder / "run" / "losses.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def launch(folder: Path, batch: int, processes: int) -> subprocess.CompletedProcess:
    script = folder / "fit.py"
    script.write_text(SCRIPT)
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
        command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "COURSE_PROGRESS": "0"}
    return subprocess.run(
        [*command, str(script), str(folder), str(batch)],
        capture_output=True, text=True, env=environment, timeout=300,
    )  # fmt: skip


def test_two_processes_step_like_one(tmp_path: Path) -> None:
    alone, both = tmp_path / "alone", tmp_path / "both"
    alone.mkdir(), both.mkdir()
    assert launch(alone, 32, 1).returncode == 0
    done = launch(both, 32, 2)
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = torch.tensor(curve(alone)), torch.tensor(curve(both))
    assert len(one) == len(two) == 25
    assert torch.allclose(one, two, rtol=1e-4)
    assert one[-1] < 0.7 * one[0]  # there was something to learn
    averages = [
        torch.load(folder / "run" / "checkpoint.pt", weights_only=True)["average"]
        for folder in (alone, both)
    ]
    for name, average in averages[0].items():
        assert torch.allclose(average, averages[1][name], rtol=1e-3, atol=1e-5), name


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    done = launch(tmp_path, 33, 2)
    assert done.returncode != 0
    assert "A batch of 33 cannot be shared evenly by 2 processes" in done.stderr


def test_alone_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    assert distributed.world_size() == 1 and distributed.is_main()
    with distributed.together(torch.device("cpu")):
        assert not torch.distributed.is_initialized()


def test_each_process_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert distributed.local_device(torch.device("cuda")) == torch.device("cuda", 1)
    assert distributed.local_device(torch.device("cpu")) == torch.device("cpu")
    assert not distributed.is_main()
