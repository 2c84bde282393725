"""course_utils.training: one step, the settings, the loop, interrupts and resuming."""

import random
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import training
from course_utils.plan import ema_decay_at, warmup_factor
from course_utils.training import Trainer

DATA = torch.linspace(-1, 1, 12).reshape(4, 3)


class Noisy(Trainer):
    """Draws from every generator, so that resuming must restore them all."""

    def __init__(self, stop_at=None, stop=KeyboardInterrupt):
        self.calls, self.stop_at, self.stop = 0, stop_at, stop

    def get_train_loss(self, batch_size):
        self.calls += 1
        x = torch.randn(batch_size, 3) + float(np.random.rand()) + random.random()
        out = self.model(x)  # batch norm's running statistics change here
        if self.calls == self.stop_at:
            raise self.stop
        return out.square().mean()


class Fixed(Trainer):
    """The same batch each time, the gradient that it leaves, and the learning rates used."""

    def __init__(self, scale=1.0):
        self.scale, self.rates, self.weights = scale, [], []

    def get_optimizer(self, model, lr):
        rates, weights = self.rates, self.weights

        class Recording(torch.optim.SGD):
            def step(self, closure=None):
                rates.append(self.param_groups[0]["lr"])
                super().step(closure)
                weights.append(model.weight.detach().clone())

        return Recording(model.parameters(), lr=lr)

    def get_train_loss(self):
        return self.scale * (self.model(DATA) - 1).square().mean()


class Batches(Fixed):
    """The rows of DATA, ``size`` at a time."""

    def get_train_loss(self, size):
        start = getattr(self, "start", 0)
        self.start = (start + size) % len(DATA)
        return (self.model(DATA[start : start + size]) - 1).square().mean()


def noisy_net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))


def linear():
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def same(model, other):
    pairs = zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    yield
    assert capfd.readouterr().err == ""  # nbgrader scores a test cell with stderr 0


def checkpoint(name):
    return torch.load(f"runs/{name}/checkpoint.pt", weights_only=True)


# ------------------------------------------------------------------------------------- the steps


def test_train_returns_losses_and_steps_and_lowers_the_loss():
    net = linear()
    losses, steps = Fixed().train(net, 30, lr=0.1)
    assert losses.shape == (30,) and losses[-1] < 0.5 * losses[0]
    assert steps.tolist() == list(range(1, 31))
    assert not net.training
    start = (linear()(DATA) - 1).square().mean().item()
    assert losses[0] == pytest.approx(start)  # the loss before the first step


def test_the_default_optimizer_is_adam_on_the_model():
    net = linear()
    optimizer = Noisy().get_optimizer(net, 0.02)
    assert isinstance(optimizer, torch.optim.Adam)
    assert optimizer.param_groups[0]["lr"] == 0.02
    assert optimizer.param_groups[0]["params"] == list(net.parameters())


def test_warmup_is_linear_and_then_constant():
    trainer = Fixed()
    trainer.train(linear(), 6, lr=0.1, warmup_steps=4)
    assert trainer.rates == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1])
    assert warmup_factor(0, 0) == 1


def test_the_model_ends_with_the_average_of_its_weights():
    trainer, net = Fixed(), linear()
    average = net.weight.detach().clone()
    trainer.train(net, 20, lr=0.1, ema_decay=0.6, run_name="averaged")
    for step, weights in enumerate(trainer.weights):
        decay = min(0.6, (1 + step) / (10 + step))
        average = decay * average + (1 - decay) * weights
    torch.testing.assert_close(net.weight.detach(), average)
    assert not torch.allclose(average, trainer.weights[-1])
    assert torch.equal(checkpoint("averaged")["model"]["weight"], trainer.weights[-1])


def test_the_decay_grows_to_its_value():
    assert ema_decay_at(0, 0.999) == 0.1
    assert ema_decay_at(100_000, 0.999) == 0.999


def test_accumulated_batches_step_like_one_large_batch():
    small, large = linear(), linear()
    in_parts, _ = Batches().train(small, 5, lr=0.1, accumulate=4, size=1)
    at_once, _ = Batches().train(large, 5, lr=0.1, size=4)
    torch.testing.assert_close(small.weight, large.weight)
    assert in_parts == pytest.approx(at_once)


def test_clipping_limits_the_norm_over_all_parameters():
    net = linear()
    before = torch.cat([net.weight.flatten(), net.bias]).detach().clone()
    Fixed(scale=1000.0).train(net, 1, lr=1.0, clip_norm=0.25)
    moved = torch.cat([net.weight.flatten(), net.bias]).detach() - before
    assert moved.norm().item() == pytest.approx(0.25, rel=1e-4)


def test_bfloat16_computes_the_loss_under_autocast():
    seen = []

    class Watching(Fixed):
        def get_train_loss(self):
            seen.append(self.model(DATA).dtype)
            return super().get_train_loss()

    net = linear()
    Watching().train(net, 1, precision="bfloat16")
    Watching().train(net, 1)
    assert seen == [torch.bfloat16, torch.float32]
    assert net.weight.dtype == torch.float32


def test_a_seed_repeats_a_run():
    first, second, third = noisy_net(), noisy_net(), noisy_net()
    Noisy().train(first, 3, seed=5, batch_size=4)
    Noisy().train(second, 3, seed=5, batch_size=4)
    Noisy().train(third, 3, seed=6, batch_size=4)
    assert same(first, second) and not same(first, third)


def test_frozen_parameters_stay(tmp_path):
    net = linear()
    net.bias.requires_grad_(False)
    before = net.bias.clone()
    Noisy().train(net, 3, ema_decay=0.5, clip_norm=1.0, batch_size=4)
    assert torch.equal(net.bias, before)


def test_losses_on_an_accelerator_are_read_together(monkeypatch):
    class Meanwhile(training._Run):
        def __init__(self, *args):
            super().__init__(*args)
            self.device = torch.device("cuda")  # only its name is asked for

        def read_losses(self):
            read.append(len(self.unread))
            super().read_losses()

    read: list[int] = []
    monkeypatch.setattr(training, "_Run", Meanwhile)
    losses, _ = Fixed().train(linear(), 60, lr=0.1)
    assert read == [25, 25, 10]
    expected, _ = Fixed().train(linear(), 60, lr=0.1)
    assert losses.tolist() == expected.tolist()
    with pytest.raises(FloatingPointError, match="at step 3"):
        Spoilt(at=3).train(linear(), 60)


# --------------------------------------------------------------------------------- what goes wrong


class Spoilt(Fixed):
    """A loss of NaN at one step."""

    def __init__(self, at):
        super().__init__()
        self.at, self.calls = at, 0

    def get_train_loss(self):
        self.calls += 1
        return super().get_train_loss() * (float("nan") if self.calls == self.at else 1.0)


def test_a_loss_of_nan_names_the_step_and_spoils_no_weights():
    net = linear()
    with pytest.raises(FloatingPointError, match=r"loss is nan at step 3. Try a smaller lr .*0.1"):
        Spoilt(at=3).train(net, 5, lr=0.1)
    assert torch.isfinite(net.weight).all() and not net.training


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_steps": 0}, "num_steps=0"),
        ({"lr": -1e-3}, "lr=-0.001"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"warmup_steps": -1}, "warmup_steps=-1"),
        ({"ckpt_every": -5}, "ckpt_every=-5"),
        ({"ema_decay": 1.0}, "ema_decay=1.0"),
        ({"accumulate": 0}, "accumulate=0"),
        ({"precision": "half"}, "precision='half'; expected one of float32, bfloat16, float16"),
        ({"precision": "float16"}, "float16' on cpu.*bfloat16"),
        ({"clip_norm": 0.0}, "clip_norm=0.0"),
        ({"run_name": "../elsewhere"}, "run_name='../elsewhere'"),
        ({"seed": -1}, "seed=-1"),
        ({"batchsize": 3}, r"\['batchsize'\].*get_train_loss\(\).*unexpected keyword"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    net = linear()
    with pytest.raises(ValueError, match=message):
        Fixed().train(net, **{"num_steps": 2, **arguments})
    assert same(net, linear())


def test_a_missing_argument_of_the_loss_is_named():
    with pytest.raises(ValueError, match="missing a required argument: 'batch_size'"):
        Noisy().train(noisy_net(), 2)


def test_a_model_without_parameters_is_refused():
    with pytest.raises(ValueError, match="ReLU has no parameters"):
        Fixed().train(nn.ReLU(), 2)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda net: 0.5, "returned float; expected a tensor with one number"),
        (lambda net: net(DATA), r"returned shape \(4, 1\); expected"),
        (lambda net: net(DATA).mean().detach(), "does not depend on the model"),
    ],
)
def test_a_loss_that_is_not_one_number_of_the_model_is_refused(loss, message):
    class Wrong(Trainer):
        def get_train_loss(self):
            return loss(self.model)

    net = linear()
    with pytest.raises(ValueError, match=message):
        Wrong().train(net, 2)
    assert not net.training


def test_an_error_in_the_loss_passes_and_leaves_eval_mode():
    net = noisy_net()
    with pytest.raises(NotImplementedError, match="Your job"):
        Noisy(1, NotImplementedError("Your job 2.2")).train(net, 2, batch_size=4)
    assert not net.training


# ---------------------------------------------------------------------------- checkpoints, resume

SETTINGS = {
    "lr": 0.02,
    "warmup_steps": 6,
    "ema_decay": 0.9,
    "accumulate": 2,
    "clip_norm": 1.0,
    "seed": 11,
    "batch_size": 4,
}


def uninterrupted(steps=12):
    net = noisy_net()
    losses, _ = Noisy().train(net, steps, **SETTINGS)
    return net, losses, torch.rand(3)  # what is drawn next


def test_an_interrupted_run_resumes_to_the_same_weights(capfd):
    net = noisy_net()
    # Half-way through the eighth step, after the first of its two batches.
    losses, steps = Noisy(stop_at=16).train(net, 12, run_name="cut", **SETTINGS)
    assert len(losses) == 7 and steps[-1] == 7 and not net.training
    notice = capfd.readouterr().out
    assert (
        notice
        == 'Interrupted after step 7 of 12. To go on: train(..., run_name="cut", resume=True).\n'
    )

    torch.manual_seed(999)
    random.seed(999)
    np.random.seed(999)
    resumed = noisy_net()
    nn.init.zeros_(resumed[0].weight)
    losses, steps = Noisy().train(resumed, 12, run_name="cut", **SETTINGS)
    drawn_next = torch.rand(3)
    assert capfd.readouterr().out == "Run runs/cut goes on after step 7 of 12.\n"
    expected, expected_losses, expected_draw = uninterrupted()
    assert same(resumed, expected)
    assert losses.tolist() == expected_losses.tolist() and len(steps) == 12
    assert torch.equal(drawn_next, expected_draw)


def test_a_killed_run_resumes_from_its_last_checkpoint(capfd):
    # SystemExit reaches no handler of ours, as little as a lost machine would.
    with pytest.raises(SystemExit):
        Noisy(21, SystemExit).train(noisy_net(), 12, ckpt_every=4, run_name="lost", **SETTINGS)
    assert checkpoint("lost")["step"] == 8
    resumed = noisy_net()
    losses, _ = Noisy().train(resumed, 12, ckpt_every=4, run_name="lost", **SETTINGS)
    assert "goes on after step 8 of 12" in capfd.readouterr().out
    expected, expected_losses, _ = uninterrupted()
    assert same(resumed, expected) and losses.tolist() == expected_losses.tolist()


def test_an_interrupt_within_an_update_waits_for_its_end(capfd):
    class InterruptedUpdate(Noisy):
        def get_optimizer(self, model, lr):
            class Adam(torch.optim.Adam):
                def step(adam, closure=None):  # noqa: N805
                    if self.calls == 8:
                        signal.raise_signal(signal.SIGINT)
                    super().step(closure)

            return Adam(model.parameters(), lr=lr)

    handler = signal.getsignal(signal.SIGINT)
    losses, _ = InterruptedUpdate().train(noisy_net(), 12, run_name="cut", **SETTINGS)
    assert len(losses) == 4 and signal.getsignal(signal.SIGINT) is handler
    resumed = noisy_net()
    Noisy().train(resumed, 12, run_name="cut", **SETTINGS)
    assert same(resumed, uninterrupted()[0])


def test_more_steps_continue_a_finished_run(capfd):
    net = noisy_net()
    Noisy().train(net, 5, run_name="longer", **SETTINGS)
    losses, _ = Noisy().train(net, 12, run_name="longer", **SETTINGS)
    expected, expected_losses, _ = uninterrupted()
    assert same(net, expected) and losses.tolist() == expected_losses.tolist()


def test_a_finished_run_is_loaded_and_not_trained(capfd):
    first, again = noisy_net(), noisy_net()
    losses, _ = Noisy().train(first, 5, run_name="done", **SETTINGS)
    trainer = Noisy()
    reloaded, _ = trainer.train(again, 5, run_name="done", **SETTINGS)
    assert same(first, again) and not again.training and trainer.calls == 0
    assert reloaded.tolist() == losses.tolist()
    assert "has had its 5 steps already; resume=False" in capfd.readouterr().out


def test_resume_false_starts_over(capfd):
    first, again = noisy_net(), noisy_net()
    Noisy().train(first, 5, run_name="done", **SETTINGS)
    trainer = Noisy()
    trainer.train(again, 3, run_name="done", resume=False, **SETTINGS)
    assert trainer.calls == 6 and not same(first, again)
    assert checkpoint("done")["step"] == 3
    assert capfd.readouterr().out == ""


def test_an_edited_loss_is_noticed(capfd):
    class Edited(Noisy):
        def get_train_loss(self, batch_size):
            return 2 * super().get_train_loss(batch_size)

    Noisy().train(noisy_net(), 2, run_name="mended", batch_size=4)
    Noisy().train(noisy_net(), 3, run_name="mended", batch_size=4)
    assert "edited" not in capfd.readouterr().out
    Edited().train(noisy_net(), 4, run_name="mended", batch_size=4)
    assert "get_train_loss has been edited" in capfd.readouterr().out


def test_another_architecture_is_refused_and_nothing_changed():
    Noisy().train(noisy_net(), 2, run_name="net", batch_size=4)
    before = checkpoint("net")
    other = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 1))
    weights = [parameter.clone() for parameter in other.parameters()]
    with pytest.raises(ValueError, match=r"0.weight is shape \(4, 3\) there and shape \(5, 3\)"):
        Noisy().train(other, 4, run_name="net", batch_size=4)
    assert all(torch.equal(a, b) for a, b in zip(weights, other.parameters(), strict=True))
    assert checkpoint("net")["step"] == before["step"] == 2


def test_other_settings_are_refused():
    Noisy().train(noisy_net(), 2, run_name="net", batch_size=4)
    with pytest.raises(ValueError, match=r"begun with lr=0.001, batch_size=4; this call says lr="):
        Noisy().train(noisy_net(), 4, lr=0.1, run_name="net", batch_size=np.int64(8))


def test_an_unnamed_run_writes_only_where_a_checkpoint_is_asked_for(tmp_path, capfd):
    Noisy().train(noisy_net(), 2, batch_size=4)
    assert list(tmp_path.iterdir()) == []
    Noisy().train(noisy_net(), 3, ckpt_every=2, batch_size=4)
    Noisy(stop_at=2).train(noisy_net(), 3, batch_size=4)
    first, second = sorted((tmp_path / "runs").iterdir())
    assert first.name.startswith("noisy-20")
    table = (first / "losses.csv").read_text().splitlines()
    assert table[0] == "step,loss" and table[3].startswith("3,") and len(table) == 4
    assert f'run_name="{second.name}"' in capfd.readouterr().out
    losses, _ = Noisy().train(noisy_net(), 3, run_name=second.name, batch_size=4)
    assert len(losses) == 3


def test_run_dir_is_where_runs_go(tmp_path):
    Noisy().train(noisy_net(), 2, run_name="here", run_dir=tmp_path / "else", batch_size=4)
    assert (tmp_path / "else" / "here" / "checkpoint.pt").is_file()
    assert not (tmp_path / "runs").exists()


def test_without_a_run_dir_runs_go_where_the_machine_keeps_them(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "kept"))
    Noisy().train(noisy_net(), 2, run_name="here", batch_size=4)
    assert (tmp_path / "kept" / "here" / "checkpoint.pt").is_file()


def test_a_full_disk_stops_no_training_and_keeps_the_last_checkpoint(monkeypatch, capfd):
    save = torch.save

    def full_at_step_four(state, file):
        if state["step"] == 4:
            file.write(b"half a checkpoint")
            raise OSError(28, "No space left on device")
        save(state, file)

    monkeypatch.setattr(torch, "save", full_at_step_four)
    losses, _ = Noisy().train(noisy_net(), 4, ckpt_every=2, run_name="full", batch_size=4)
    assert len(losses) == 4 and checkpoint("full")["step"] == 2
    out = capfd.readouterr().out
    assert "checkpoint of step 4 could not be written" in out and "No space left" in out


def test_what_is_drawn_while_saving_changes_no_step(monkeypatch):
    save = torch.save

    def drawing(state, file):
        random.random()
        torch.rand(1)
        save(state, file)

    monkeypatch.setattr(torch, "save", drawing)
    net = noisy_net()
    Noisy().train(net, 12, ckpt_every=3, run_name="drawn", **SETTINGS)
    assert same(net, uninterrupted()[0])


def test_an_interrupt_without_a_disk_is_still_quiet(monkeypatch, capfd):
    Path("runs").touch()  # a file where the folder should be
    losses, _ = Noisy(stop_at=3).train(noisy_net(), 4, batch_size=4)
    assert len(losses) == 2
    out = capfd.readouterr().out
    assert "could not be written" in out and out.endswith("Interrupted after step 2 of 4.\n")


def test_the_bar_shows_the_loss_and_the_run(monkeypatch, capfd):
    monkeypatch.setenv("COURSE_PROGRESS", "1")
    losses, _ = Noisy().train(noisy_net(), 3, run_name="shown", batch_size=4)
    out, err = capfd.readouterr()
    assert "shown" in out and "3/3" in out and f"loss {losses[-1]:.4g}" in out and err == ""
