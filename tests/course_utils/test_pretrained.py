"""Weights are written whole, and count as loaded only where the network computes the same."""

import json

import pytest
import torch
from torch import Tensor, nn

from course_utils import pretrained
from course_utils.pretrained import Card

CARD = Card("toy", "nothing", 100, 125.0, "2 cores", "course train toy", {"accuracy": "0.9"})


class Toy(nn.Module):
    """Waves of t in front of a linear layer; ``order`` says which half comes first."""

    def __init__(self, order: str = "sc", parameter: str = "linear", frozen: bool = True) -> None:
        super().__init__()
        self.order, self.parameter = order, parameter
        if frozen:
            self.register_buffer("frequencies", torch.randn(4))
        else:
            self.weights = nn.Parameter(torch.randn(1, 4))
        setattr(self, parameter, nn.Linear(8, 3))

    def forward(self, t: Tensor) -> Tensor:
        angles = t[:, None] * (self.frequencies if self.order != "own" else self.weights)
        halves = [angles.sin(), angles.cos()]
        ordered = halves if self.order != "cs" else halves[::-1]
        return getattr(self, self.parameter)(torch.cat(ordered, dim=-1))


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(0)
    toy = Toy()
    probe = (torch.tensor([0.1, 0.5, 0.9]),)
    milestones = {"milestone.100": torch.full((2, 1, 4, 4), 255, dtype=torch.uint8)}
    return pretrained.write(tmp_path / "toy.safetensors", toy, CARD, probe, milestones), toy


def test_what_is_written_is_what_is_loaded(file, capsys) -> None:
    path, toy = file
    other = Toy()
    assert pretrained.load(other, path)
    t = torch.rand(5)
    assert torch.equal(other(t), pretrained.rounded(toy)(t))
    assert (other(t) - toy(t)).abs().max() < 1e-2  # float16
    assert not other.training
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "100 steps in 2.1 min on 2 cores" in said
    assert "accuracy 0.9" in said


@pytest.mark.parametrize("model", [{"parameter": "head"}, {"order": "own", "frozen": False}])
def test_other_names_in_the_same_order_are_fine(file, model) -> None:
    path, toy = file
    other = Toy(**model)
    assert pretrained.load(other, path)
    t = torch.rand(5)
    assert torch.allclose(other(t), toy(t), atol=1e-2)


def test_another_function_is_not_taken_for_the_trained_one(file, capsys) -> None:
    path, _ = file
    other = Toy(order="cs")
    before = {name: value.clone() for name, value in other.state_dict().items()}
    assert not pretrained.load(other, path)
    assert "computes another function" in capsys.readouterr().out
    assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())
    with pytest.raises(ValueError, match="another function"):
        pretrained.fill(other, path)


def test_another_size_is_told(file, capsys) -> None:
    path, _ = file
    assert not pretrained.load(nn.Linear(8, 3), path)
    assert "31 numbers in 3 tensors" in capsys.readouterr().out


def test_a_network_that_raises_is_left_as_it_was(file, capsys) -> None:
    path, _ = file

    class Broken(Toy):
        def forward(self, t: Tensor) -> Tensor:
            raise RuntimeError("no")

    broken = Broken()
    before = broken.linear.weight.clone()
    assert not pretrained.load(broken, path)
    assert "RuntimeError" in capsys.readouterr().out
    assert torch.equal(broken.linear.weight, before)


def test_milestones_are_images_by_step(file) -> None:
    images = pretrained.milestones(file[0])
    assert list(images) == ["step 100"]
    assert images["step 100"].shape == (2, 1, 4, 4) and bool((images["step 100"] == 1).all())


def test_the_card_is_written_to_read_and_kept_in_the_file(file) -> None:
    path, _ = file
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "| training time | 2.1 min |" in page and "| command | `course train toy` |" in page
    assert pretrained.read(path).card == CARD
    assert json.dumps(CARD.metrics) in json.dumps(pretrained.read(path).card.metrics)


def test_nothing_half_written_stays(tmp_path, monkeypatch) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="disk full"):
        pretrained.write(tmp_path / "toy.safetensors", Toy(), CARD, (torch.rand(2),))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_or_foreign_file_is_named(file, tmp_path) -> None:
    path, _ = file
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"cut\.safetensors is damaged"):
        pretrained.read(cut)
    torch.save({"a": torch.ones(1)}, tmp_path / "pickle.safetensors")
    with pytest.raises(ValueError, match="was not written by this course"):
        pretrained.read(tmp_path / "pickle.safetensors")
    with pytest.raises(ValueError, match="There are no weights nosuch"):
        pretrained.read("nosuch")


@pytest.mark.parametrize(("seconds", "text"), [(48, "48 s"), (564, "9.4 min"), (7560, "2.1 h")])
def test_durations_read_well(seconds: float, text: str) -> None:
    assert pretrained.spell(seconds) == text
