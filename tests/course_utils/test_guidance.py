"""The guided field against the formula, the calls that it makes, and samples drawn with it."""

import pytest
import torch
from torch import Tensor, nn

from course_utils import guidance
from course_utils.dynamics import EulerSimulator, HeunSimulator
from course_utils.guidance import GuidedODE, generate, time_grid

NULL = 3


class Net(nn.Module):
    """u = (label + 1) cos(3 x) + t, row by row; notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.calls: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        assert t.shape == y.shape == (len(x),)
        self.calls.append((t, y))
        ones = [1] * (x.ndim - 1)
        return self.gain * (y + 1).reshape(-1, *ones) * torch.cos(3 * x) + t.reshape(-1, *ones)

    @property
    def rows(self) -> list[int]:
        return [len(t) for t, _ in self.calls]


def guided(x: Tensor, t: Tensor, y: Tensor, w: float) -> Tensor:
    net = Net()
    return (1 - w) * net(x, t, torch.full_like(y, NULL)) + w * net(x, t, y)


@pytest.fixture
def batch() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(4, 2, 3), torch.tensor([0.1, 0.3, 0.6, 0.9]), torch.tensor([0, 1, 2, NULL])


class TestGuidedODE:
    @pytest.mark.parametrize("w", [-1.0, 0.0, 0.5, 1.0, 3.0, 100.0])
    def test_the_formula_in_one_call(self, batch: tuple, w: float) -> None:
        net = Net()
        ode = GuidedODE(net, NULL, w)
        torch.testing.assert_close(ode.drift_coefficient(*batch), guided(*batch, w))
        # w = 1 asks for the label alone and w = 0 for ∅ alone.
        assert net.rows == [4 if w in (0, 1) else 8]
        assert ode.evaluations == net.rows[0] / 4
        asked = set(net.calls[0][1].tolist())
        assert asked == ({NULL} if w == 0 else {0, 1, 2, NULL})

    @pytest.mark.parametrize("w", [0.0, 1.0, 3.0])
    def test_outside_the_interval_the_label_alone_counts(self, batch: tuple, w: float) -> None:
        x, t, y = batch
        net = Net()
        ode = GuidedODE(net, NULL, w, interval=(0.3, 0.6))
        velocity = ode.drift_coefficient(x, t, y)
        inside = torch.tensor([False, True, True, False])
        torch.testing.assert_close(velocity[inside], guided(x, t, y, w)[inside])
        torch.testing.assert_close(velocity[~inside], Net()(x, t, y)[~inside])
        assert net.rows == [6 if w == 3 else 4]
        assert ode.evaluations == (1.5 if w == 3 else 1)

    def test_a_batch_outside_costs_one_evaluation_and_one_inside_two(self, batch: tuple) -> None:
        x, _, y = batch
        for t, rows in [(0.1, 4), (0.2, 8), (0.5, 8), (0.8, 8), (0.9, 4)]:
            net = Net()
            GuidedODE(net, NULL, 2.0, (0.2, 0.8)).drift_coefficient(x, torch.tensor(t), y)
            assert net.rows == [rows], t

    def test_rounding_does_not_push_a_time_out_of_the_interval(self, batch: tuple) -> None:
        x, _, y = batch
        t = torch.linspace(0, 1, 11)[3]  # 0.3 in float32 is a little above 0.3
        ode = GuidedODE(Net(), NULL, 2.0, (0.1, 0.3))
        ode.drift_coefficient(x, t, y)
        assert float(t) > 0.3 and ode.evaluations == 2

    def test_gradients_reach_the_network_and_the_input(self, batch: tuple) -> None:
        x, t, y = batch
        net = Net()
        x = x.requires_grad_()
        GuidedODE(net, NULL, 3.0, (0.3, 0.6)).drift_coefficient(x, t, y).sum().backward()
        assert bool(x.grad.abs().sum((1, 2)).all()) and net.gain.grad is not None

    @pytest.mark.parametrize(
        ("solver", "evaluations"), [(EulerSimulator, 10 + 5), (HeunSimulator, 19 + 10)]
    )
    def test_evaluations_of_a_simulation(self, solver: type, evaluations: int) -> None:
        # Heun asks at 0.2 … 0.6 at the start of a step and again at the end of the one before.
        ode = GuidedODE(Net(), NULL, 2.0, (0.2, 0.6))
        solver(ode).simulate(torch.zeros(3, 1), torch.linspace(0, 1, 11), y=torch.tensor([0, 1, 2]))
        assert ode.evaluations == evaluations

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((-1,), "null_label is -1"),
            ((NULL, float("nan")), "guidance_scale is nan"),
            ((NULL, 2.0, (0.5, 0.2)), r"interval is \(0.5, 0.2\); expected"),
            ((NULL, 2.0, (-0.1, 0.2)), "0 ≤ start ≤ end ≤ 1"),
        ],
    )
    def test_bad_settings(self, arguments: tuple, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            GuidedODE(Net(), *arguments)

    @pytest.mark.parametrize(
        ("y", "message"),
        [
            (torch.zeros(3, dtype=torch.long), r"shape \(3,\).*expected integers.*\(4,\)"),
            (torch.zeros(4), "dtype torch.float32"),
            (torch.zeros(4, 1, dtype=torch.long), r"shape \(4, 1\)"),
        ],
    )
    def test_bad_labels(self, batch: tuple, y: Tensor, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            GuidedODE(Net(), NULL, 2.0).drift_coefficient(*batch[:2], y)

    def test_a_network_of_another_shape_is_refused(self, batch: tuple) -> None:
        class Narrow(nn.Module):
            def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
                return x[:, :1]

        with pytest.raises(ValueError, match=r"Narrow returned shape \(8, 1, 3\)"):
            GuidedODE(Narrow(), NULL, 2.0).drift_coefficient(*batch)


def draw(y: object, *arguments: object, **settings: object) -> Tensor:
    settings = {"null_label": NULL, "num_steps": 3, "shape": (1, 4, 4)} | settings
    return generate(settings.pop("net", None) or Net(), y, *arguments, **settings)


class TestGenerate:
    y = (0, 1, 2, NULL, 0)

    def test_is_the_simulation_of_the_guided_field(self) -> None:
        ode = GuidedODE(Net(), NULL, 2.0, (0.2, 0.8))
        x, y = guidance._noise(5, (1, 4, 4), seed=7), torch.tensor(self.y)
        common = {"seed": 7, "interval": (0.2, 0.8)}
        heun = HeunSimulator(ode).simulate(x, time_grid(3), y=y)
        torch.testing.assert_close(draw(y, 2.0, **common), heun.detach())
        ts = time_grid(6, "cosine")
        euler = EulerSimulator(ode).simulate(x, ts, y=y)
        torch.testing.assert_close(draw(self.y, 2.0, ts=ts, solver="euler", **common), euler)

    @pytest.mark.parametrize("batch_size", [1, 2, 5, 250])
    def test_batches_change_nothing(self, batch_size: int) -> None:
        net = Net()
        torch.testing.assert_close(
            draw(self.y, 3.0, net=net, batch_size=batch_size), draw(self.y, 3.0)
        )
        assert max(net.rows) == 2 * min(batch_size, 5)

    def test_an_item_starts_from_the_same_noise_whatever_else_changes(self) -> None:
        start = {"ts": torch.tensor([0.0, 1e-6])}  # hardly a step: what returns is the noise
        noise = draw(self.y, **start)
        for other in [draw(self.y, 5.0, **start), draw([2] * 9, **start)[:5]]:
            torch.testing.assert_close(other, noise, atol=1e-4, rtol=0)
        assert (draw(self.y, seed=1, **start) - noise).abs().max() > 0.1
        assert (noise[0] - noise[4]).abs().max() > 0.1
        drawn = torch.cat([draw([0] * 400, **start, seed=s).flatten() for s in range(4)])
        assert drawn.mean().abs() < 0.03 and drawn.std() == pytest.approx(1, abs=0.02)

    def test_small_shapes_share_their_noise_too(self) -> None:
        few, many = guidance._noise(3, (2,), seed=0), guidance._noise(50, (2,), seed=0)
        assert torch.equal(few, many[:3])

    def test_random_numbers_and_modes_are_left_as_they_were(self) -> None:
        net = nn.Sequential(Net(), nn.Dropout()).train()
        net[1].eval()
        net.forward = lambda x, t, y: net[0](x, t, y) + 0 * float(net.training)  # type: ignore[method-assign]
        state = torch.get_rng_state()
        first = draw(self.y, net=net)
        assert net.training and net[0].training and not net[1].training
        assert torch.equal(torch.get_rng_state(), state)
        assert not first.requires_grad
        assert torch.equal(draw(self.y, net=net), first)

    def test_the_network_runs_in_eval_mode_and_gets_its_mode_back_after_an_error(self) -> None:
        class Broken(Net):
            def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
                assert not self.training
                raise RuntimeError("broken")

        net = Broken().train()
        with pytest.raises(RuntimeError, match="broken"):
            draw(self.y, net=net)
        assert net.training

    def test_samples_have_the_networks_precision(self) -> None:
        assert draw(self.y, net=Net().double()).dtype == torch.float64

    def test_progress_is_one_bar_on_stdout(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("COURSE_PROGRESS", "1")
        draw(self.y)
        assert capsys.readouterr() == ("", "")
        draw(self.y, show_progress=True, batch_size=2)
        shown = capsys.readouterr()
        assert "Sampling" in shown.out and "Heun" not in shown.out and shown.err == ""
        draw(self.y, show_progress=True)
        assert "HeunSimulator" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("y", "settings", "message"),
        [
            ([0, 4], {}, "y lies in 0 … 4; expected labels from 0 to the null label, 3"),
            ([-1], {}, "y lies in -1 … -1"),
            ([], {}, "expected integers, one label for each sample"),
            (torch.tensor([0.5]), {}, "dtype torch.float32"),
            ([0], {"solver": "rk4"}, "solver is 'rk4'"),
            ([0], {"batch_size": 0}, "batch_size is 0"),
            ([0], {"num_steps": 0}, "num_steps is 0"),
            ([0], {"ts": torch.tensor([0.0, 2.0])}, r"expected times in \[0, 1\]"),
        ],
    )
    def test_errors(self, y: object, settings: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            draw(y, **settings)
