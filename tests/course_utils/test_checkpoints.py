"""course_utils.checkpoints: run folders, damage, fingerprints, random states, held interrupts."""

import os
import random
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import checkpoints
from course_utils.checkpoints import RunFolder


def state(step):
    weights = torch.arange(1000.0) + step
    return {"version": checkpoints.VERSION, "step": step, "weights": weights}


def folder_with(root, *steps, name="run"):
    folder = RunFolder(root, name)
    for step in steps:
        folder.save(state(step), [0.5] * step)
    return folder


def files(folder):
    return sorted(path.name for path in folder.path.iterdir() if path.name != ".writer")


def test_the_last_checkpoint_is_loaded_and_one_before_it_kept(tmp_path):
    folder = folder_with(tmp_path, 1, 2, 3)
    assert files(folder) == ["checkpoint.pt", "losses.csv", "previous.pt"]
    loaded = RunFolder(tmp_path, "run").load()
    assert loaded["step"] == 3 and torch.equal(loaded["weights"], state(3)["weights"])
    assert checkpoints.read_checkpoint(folder.path / "previous.pt")["step"] == 2
    assert (folder.path / "losses.csv").read_text() == "step,loss\n1,0.5\n2,0.5\n3,0.5\n"


def test_a_new_run_has_nothing_to_load(tmp_path):
    assert RunFolder(tmp_path, "run").load() is None
    assert RunFolder(tmp_path, None).load() is None
    assert list(tmp_path.iterdir()) == []


def test_generated_names_are_readable_and_unique(tmp_path):
    first, second = RunFolder(tmp_path, None, "CFGTrainer"), RunFolder(tmp_path, None, "CFGTrainer")
    with pytest.raises(ValueError, match="no name until"):
        _ = first.path
    first.save(state(1), [])
    second.save(state(1), [])
    assert first.name.startswith("cfg-trainer-20") and first.name != second.name
    kept = first.name
    first.save(state(2), [])
    assert first.name == kept and RunFolder(tmp_path, kept).load()["step"] == 2


@pytest.mark.parametrize("name", ["unet", "cfg-2026-11-22", "lr=1e-3", "größer 2", "a.b"])
def test_names_of_folders_are_taken(tmp_path, name):
    assert RunFolder(tmp_path, name).path == tmp_path / name


@pytest.mark.parametrize(
    "name", ["", "..", "../up", "a/b", "a\\b", "C:", "/abs", "dot.", ".h", "a\n"]
)
def test_other_names_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match="expected the name of a folder"):
        RunFolder(tmp_path, name)


def test_starting_over_ignores_and_then_replaces_what_was_there(tmp_path):
    folder_with(tmp_path, 7, 8)
    again = RunFolder(tmp_path, "run", start_over=True)
    assert again.load() is None
    assert RunFolder(tmp_path, "run").load()["step"] == 8  # until something is saved
    again.save(state(1), [])
    assert again.load()["step"] == 1 and "previous.pt" not in files(again)
    again.save(state(2), [])
    assert checkpoints.read_checkpoint(again.path / "previous.pt")["step"] == 1


# ---------------------------------------------------------------------------------------- damage


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def change_one_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path):
    path.write_bytes(b"")


def html(path):
    path.write_text("<html>Session expired</html>")


def something_else(path):
    torch.save({"weights": torch.zeros(3)}, path)


def code_to_run(path):
    torch.save({**state(9), "run": Path.home}, path)


DAMAGE = [cut_in_half, change_one_byte, empty, html, something_else, code_to_run]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_checkpoint_is_set_aside_for_the_one_before(tmp_path, damage, capfd):
    folder = folder_with(tmp_path, 4, 5)
    damage(folder.path / "checkpoint.pt")
    damaged = (folder.path / "checkpoint.pt").read_bytes()
    assert folder.load()["step"] == 4
    out, err = capfd.readouterr()
    assert "checkpoint.pt" in out and "of step 4" in out and out.count("\n") == 1 and err == ""
    assert (folder.path / "damaged.pt").read_bytes() == damaged
    folder.save(state(5), [])
    assert folder.load()["step"] == 5
    assert checkpoints.read_checkpoint(folder.path / "previous.pt")["step"] == 4


@pytest.mark.parametrize("damage", DAMAGE)
def test_with_no_other_one_left_nothing_is_changed(tmp_path, damage):
    folder = folder_with(tmp_path, 4)
    damage(folder.path / "checkpoint.pt")
    before = {path: path.read_bytes() for path in folder.path.iterdir()}
    with pytest.raises(ValueError, match=r"checkpoint\.pt .*resume=False.*another run_name"):
        folder.load()
    assert {path: path.read_bytes() for path in folder.path.iterdir()} == before


# Saving is: the checkpoint's bytes, its two renames, the table's bytes, its rename.
@pytest.mark.parametrize(
    ("operation", "nth", "left"),
    [("fsync", 1, 2), ("replace", 1, 2), ("replace", 2, 2), ("fsync", 2, 3), ("replace", 3, 3)],
)
def test_killed_at_any_moment_of_saving_a_whole_checkpoint_is_left(
    tmp_path, monkeypatch, operation, nth, left
):
    folder = folder_with(tmp_path, 1, 2)
    owner = checkpoints.os if operation == "fsync" else Path
    original, calls = getattr(owner, operation), []

    def killed(*args):
        calls.append(args)
        if len(calls) == nth:
            raise SystemExit
        return original(*args)

    monkeypatch.setattr(owner, operation, killed)
    with pytest.raises(SystemExit):
        folder.save(state(3), [])
    monkeypatch.undo()
    resumed = RunFolder(tmp_path, "run")
    assert resumed.load()["step"] == left
    resumed.save(state(4), [])
    assert resumed.load()["step"] == 4


def test_a_failed_save_leaves_no_half_file(tmp_path, monkeypatch):
    folder = folder_with(tmp_path, 1)

    def full(content, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space left"):
        folder.save(state(2), [])
    assert files(folder) == ["checkpoint.pt", "losses.csv"] and folder.load()["step"] == 1


def test_of_two_notebooks_with_one_run_the_first_is_told(tmp_path):
    first, second = RunFolder(tmp_path, "run"), RunFolder(tmp_path, "run")
    first.save(state(1), [])
    second.save(state(2), [])
    second.save(state(3), [])
    with pytest.raises(OSError, match="another notebook trains the run run, too: stop one of the"):
        first.save(state(9), [])
    assert RunFolder(tmp_path, "run").load()["step"] == 3
    second.save(state(4), [])
    assert RunFolder(tmp_path, "run").load()["step"] == 4


def test_halves_that_a_killed_program_left_are_cleared_away(tmp_path):
    folder = folder_with(tmp_path, 1)
    old, new = folder.path / "checkpoint.pt.12.tmp", folder.path / "checkpoint.pt.34.tmp"
    for half in (old, new):
        half.write_bytes(b"half")
    os.utime(old, (0, 0))
    RunFolder(tmp_path, "run").save(state(2), [])
    assert not old.exists() and new.exists()


def test_two_programs_never_write_into_the_same_half(tmp_path, monkeypatch):
    folder = folder_with(tmp_path, 1)
    save = torch.save

    def while_another_saves(content, file):
        save(content, file)
        monkeypatch.setattr(torch, "save", save)
        monkeypatch.setattr(checkpoints.os, "getpid", lambda: -1)
        RunFolder(tmp_path, "run").save(state(7), [])

    monkeypatch.setattr(torch, "save", while_another_saves)
    folder.save(state(2), [])
    assert RunFolder(tmp_path, "run").load()["step"] == 2
    assert checkpoints.read_checkpoint(folder.path / "previous.pt")["step"] == 7


# ---------------------------------------------------------------------------------- fingerprints


def test_the_architecture_is_names_and_shapes():
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    shapes = checkpoints.architecture(net)
    assert shapes["0.weight"] == [2, 3] and shapes["1.running_mean"] == [2]
    checkpoints.check_architecture(shapes, net, "here")
    smaller = nn.Sequential(nn.Linear(3, 2))
    with pytest.raises(
        ValueError, match=r"here .*1.weight is shape \(2,\) there and absent .*2 more"
    ):
        checkpoints.check_architecture(shapes, smaller, "here")
    with pytest.raises(ValueError, match=r"1\.weight is absent there"):
        checkpoints.check_architecture(checkpoints.architecture(smaller), net, "here")


def test_differing_settings_are_all_named():
    checkpoints.check_settings({"lr": 0.1}, {"lr": 0.1}, "here")
    with pytest.raises(
        ValueError, match=r"begun with lr=0.1, size=3; this call says lr=0.2, size="
    ):
        checkpoints.check_settings({"lr": 0.1, "size": 3}, {"lr": 0.2}, "here")


def test_the_fingerprint_of_code_follows_its_source():
    def one():
        return 1

    def two():
        return 2

    assert checkpoints.code_of(one) == checkpoints.code_of(one) != checkpoints.code_of(two)
    assert checkpoints.code_of(print) == ""


# --------------------------------------------------------------------------- random states, signals


def draws():
    return random.gauss(0, 1), float(np.random.randn()), float(torch.randn(()))


@pytest.mark.parametrize("draws_before", [0, 1])  # odd: one normal number is kept in reserve
def test_random_states_are_restored_through_a_file(tmp_path, draws_before):
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    for _ in range(draws_before):
        draws()
    saved = checkpoints.rng_state()
    expected = [draws(), draws()]
    checkpoints.restore_rng_state(saved)
    assert [draws(), draws()] == expected
    torch.save(checkpoints.portable(saved), tmp_path / "rng.pt")
    checkpoints.restore_rng_state(torch.load(tmp_path / "rng.pt", weights_only=True))
    assert [draws(), draws()] == expected


def test_an_interrupt_is_held_back_until_the_block_is_done():
    done = []
    with pytest.raises(KeyboardInterrupt), checkpoints.uninterrupted():
        signal.raise_signal(signal.SIGINT)
        done.append("rest of the block")
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_blocks_work_in_other_threads():
    done = []

    def work():
        with checkpoints.uninterrupted():
            done.append(1)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [1]
