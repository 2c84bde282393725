"""Simulators: their order of convergence, their grids of times, and what they hand over."""

import math

import pytest
import torch
from torch import Tensor

from course_utils.dynamics import (
    ODE,
    SDE,
    EulerMaruyamaSimulator,
    EulerSimulator,
    HeunSimulator,
    Simulator,
    record_every,
    time_grid,
)


class Growth(ODE):
    """dx/dt = x cos(3 t), solved by x(t) = x(0) exp(sin(3 t) / 3); notes each call."""

    def __init__(self) -> None:
        self.times: list[Tensor] = []

    def drift_coefficient(self, x: Tensor, t: Tensor, **conditioning: object) -> Tensor:
        assert t.shape == (len(x),) and t.dtype == x.dtype
        self.times.append(t)
        return x * torch.cos(3 * t).reshape(-1, *[1] * (x.ndim - 1))


def growth_at(t: float) -> float:
    return math.exp(math.sin(3 * t) / 3)


class OrnsteinUhlenbeck(SDE):
    """dx = -2 x dt + 1.5 dW: mean x0 e^(-2t), variance 9/16 (1 - e^(-4t))."""

    def drift_coefficient(self, x: Tensor, t: Tensor, **conditioning: object) -> Tensor:
        return -2 * x

    def diffusion_coefficient(self, x: Tensor, t: Tensor, **conditioning: object) -> Tensor:
        return torch.full_like(x, 1.5)


class Labelled(ODE):
    """Moves by the label in unit time."""

    def drift_coefficient(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return y[:, None].to(x.dtype).expand_as(x)


def errors(simulator: Simulator, counts: list[int], start: float, end: float) -> list[float]:
    x = torch.ones(1, 1, dtype=torch.float64)
    exact = growth_at(end) / growth_at(start)
    grids = [torch.linspace(start, end, n + 1, dtype=torch.float64) for n in counts]
    return [abs(simulator.simulate(x, ts).item() - exact) for ts in grids]


@pytest.mark.parametrize(
    ("make", "order"),
    [
        (EulerSimulator, 1),
        (HeunSimulator, 2),
        (lambda ode: HeunSimulator(ode, evaluate_at_one=True), 2),
    ],
    ids=["euler", "heun", "heun up to t = 1"],
)
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.1, 0.8), (1.0, 0.0)])
def test_order_of_convergence(make: type, order: int, start: float, end: float) -> None:
    coarse, fine = errors(make(Growth()), [100, 200], start, end)
    assert math.log2(coarse / fine) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize(
    ("make", "calls", "latest"),
    [
        (EulerSimulator, 10, 0.9),
        (HeunSimulator, 19, 0.9),
        (lambda ode: HeunSimulator(ode, evaluate_at_one=True), 20, 1.0),
    ],
    ids=["euler", "heun", "heun up to t = 1"],
)
def test_calls_and_the_last_time(make: type, calls: int, latest: float) -> None:
    ode = Growth()
    make(ode).simulate(torch.ones(2, 3), torch.linspace(0, 1, 11))
    assert len(ode.times) == calls
    assert max(float(t.max()) for t in ode.times) == pytest.approx(latest)
    assert ode.times[0].tolist() == [0.0, 0.0]


def test_heun_takes_its_own_step_where_the_grid_stops_short_of_one() -> None:
    ode = Growth()
    HeunSimulator(ode).simulate(torch.ones(2, 3), torch.linspace(0, 0.95, 11))
    assert len(ode.times) == 20


def test_single_steps_against_the_formulas() -> None:
    x, t, h = torch.tensor([[2.0]], dtype=torch.float64), 0.5, 0.1
    slope = math.cos(1.5)
    euler = EulerSimulator(Growth()).step(x, t, h)
    assert euler.item() == pytest.approx(2 + h * 2 * slope)
    heun = HeunSimulator(Growth()).step(x, t, h)
    assert heun.item() == pytest.approx(
        2 + h / 2 * (2 * slope + (2 + h * 2 * slope) * math.cos(1.8))
    )
    each = torch.full((1, 1), h)
    assert EulerSimulator(Growth()).step(x, torch.tensor([t]), each).item() == pytest.approx(
        euler.item(), rel=1e-6
    )


def test_heun_forgives_rounding_but_no_overshoot() -> None:
    x = torch.ones(1, 1)
    HeunSimulator(Growth()).step(x, 0.9, 0.1 + 5e-7)
    with pytest.raises(ValueError, match=r"expected times in \[0, 1\]"):
        HeunSimulator(Growth()).step(x, 0.9, 0.2)


class TestEulerMaruyama:
    def test_mean_and_variance_of_ornstein_uhlenbeck(self) -> None:
        # h instead of √h in the noise would leave a variance of 0.005 instead of 0.55.
        torch.manual_seed(0)
        x = torch.full((40_000, 1), 3.0)
        x = EulerMaruyamaSimulator(OrnsteinUhlenbeck()).simulate(x, torch.linspace(0, 1, 101))
        assert x.mean().item() == pytest.approx(3 * math.exp(-2), abs=0.03)
        assert x.var().item() == pytest.approx(9 / 16 * (1 - math.exp(-4)), rel=0.04)

    def test_moments_of_the_method_itself(self) -> None:
        # Exact for the recursion x ← (1 - 2h) x + 1.5 √h ε, with steps of different sizes.
        torch.manual_seed(0)
        mean, variance = 3.0, 0.0
        for h in (0.3, 0.1, 0.2):
            mean, variance = (1 - 2 * h) * mean, (1 - 2 * h) ** 2 * variance + 2.25 * h
        ts = torch.tensor([0.0, 0.3, 0.4, 0.6])
        x = EulerMaruyamaSimulator(OrnsteinUhlenbeck()).simulate(torch.full((90_000, 1), 3.0), ts)
        assert x.mean().item() == pytest.approx(mean, abs=0.015)
        assert x.var().item() == pytest.approx(variance, rel=0.02)

    def test_without_noise_it_is_euler(self) -> None:
        class Quiet(Growth, SDE):
            def diffusion_coefficient(self, x: Tensor, t: Tensor) -> float:  # type: ignore[override]
                return 0.0

        ts, x = torch.linspace(0, 1, 11), torch.rand(4, 2)
        noisy = EulerMaruyamaSimulator(Quiet()).simulate(x, ts)
        torch.testing.assert_close(noisy, EulerSimulator(Growth()).simulate(x, ts))

    def test_backwards_in_time_the_noise_is_finite(self) -> None:
        torch.manual_seed(0)

        class Wiener(OrnsteinUhlenbeck):
            def drift_coefficient(self, x: Tensor, t: Tensor, **conditioning: object) -> Tensor:
                return torch.zeros_like(x)

        x = EulerMaruyamaSimulator(Wiener()).simulate(
            torch.zeros(20_000, 1), torch.linspace(1, 0, 5)
        )
        assert x.var().item() == pytest.approx(2.25, rel=0.05)

    def test_a_flat_diffusion_is_refused(self) -> None:
        class Flat(OrnsteinUhlenbeck):
            def diffusion_coefficient(self, x: Tensor, t: Tensor, **conditioning: object) -> Tensor:
                return t

        with pytest.raises(ValueError, match=r"returned shape \(2,\) for x of shape \(2, 2\)"):
            EulerMaruyamaSimulator(Flat()).simulate(torch.zeros(2, 2), torch.linspace(0, 1, 3))


class TestGrids:
    @pytest.mark.parametrize("make", [EulerSimulator, HeunSimulator])
    @pytest.mark.parametrize("x_shape", [(3, 2), (3, 1, 4, 4)])
    def test_every_shape_of_ts_agrees(self, make: type, x_shape: tuple[int, ...]) -> None:
        x, ts = torch.rand(x_shape), torch.linspace(0, 1, 7)
        expected = make(Growth()).simulate(x, ts)
        for shape in [(3, 7), (3, 7, 1), (3, 7, 1, 1, 1)]:
            each = ts.reshape(1, 7, *[1] * (len(shape) - 2)).expand(shape)
            torch.testing.assert_close(make(Growth()).simulate(x, each), expected)
        torch.testing.assert_close(make(Growth()).simulate(x, ts[None]), expected)

    def test_a_grid_for_each_sample(self) -> None:
        x = torch.ones(2, 1, dtype=torch.float64)
        ts = torch.stack([torch.linspace(0, 1, 401), torch.linspace(0.2, 0.5, 401)]).double()
        end = HeunSimulator(Growth()).simulate(x, ts)[:, 0]
        assert end[0].item() == pytest.approx(growth_at(1), abs=1e-4)
        assert end[1].item() == pytest.approx(growth_at(0.5) / growth_at(0.2), abs=1e-5)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
    def test_the_state_keeps_its_dtype(self, dtype: torch.dtype) -> None:
        x = torch.ones(2, 3, dtype=dtype)
        for make in (EulerSimulator, HeunSimulator):
            end = make(Growth()).simulate(x, torch.linspace(0, 1, 101))
            assert end.dtype == dtype and bool(end.isfinite().all())

    @pytest.mark.parametrize(
        ("ts", "message"),
        [
            (torch.tensor([0.0, 0.5, 0.5, 1.0]), "strictly increasing"),
            (torch.tensor([0.0, 0.6, 0.5, 1.0]), "strictly increasing"),
            (torch.stack([torch.linspace(0, 1, 5), torch.linspace(1, 0, 5)]), "strictly"),
            (torch.linspace(0, 1.1, 5), r"runs over \[0, 1.1\]"),
            (torch.linspace(-0.5, 1, 5), r"expected times in \[0, 1\]"),
            (torch.tensor([0.0, float("nan")]), r"expected times in \[0, 1\]"),
            (torch.tensor([0.5]), "at least two"),
            (torch.zeros(0), "at least two"),
            (torch.tensor(0.5), r"ts has shape \(\)"),
            (torch.zeros(3, 5), r"expected \(nt,\) for one grid of times, or \(2, nt\)"),
            (torch.zeros(2, 5, 2), r"ts has shape \(2, 5, 2\)"),
        ],
    )
    def test_bad_grids(self, ts: Tensor, message: str) -> None:
        for run in ("simulate", "simulate_with_trajectory"):
            with pytest.raises(ValueError, match=message):
                getattr(EulerSimulator(Growth()), run)(torch.ones(2, 3), ts)


class TestSimulate:
    def test_no_gradients_and_x_is_left_as_it_is(self) -> None:
        x = torch.ones(2, 3, requires_grad=True)
        end = EulerSimulator(Growth()).simulate(x, torch.linspace(0, 1, 5))
        assert not end.requires_grad
        assert torch.equal(x, torch.ones(2, 3))
        assert EulerSimulator(Growth()).step(x, 0.0, 0.1).requires_grad

    @pytest.mark.parametrize("every", [1, 3, 10, 50])
    def test_trajectory_holds_the_recorded_states(self, every: int) -> None:
        x, ts, simulator = torch.rand(2, 3), torch.linspace(0, 1, 11), EulerSimulator(Growth())
        full = simulator.simulate_with_trajectory(x, ts)
        assert full.shape == (2, 11, 3)
        for index in range(1, 11):
            torch.testing.assert_close(full[:, index], simulator.simulate(x, ts[: index + 1]))
        some = simulator.simulate_with_trajectory(x, ts, every=every)
        torch.testing.assert_close(some, full[:, record_every(11, every)])
        torch.testing.assert_close(some[:, 0], x)
        torch.testing.assert_close(some[:, -1], simulator.simulate(x, ts))

    @pytest.mark.parametrize("make", [EulerSimulator, HeunSimulator])
    def test_conditioning_reaches_every_call(self, make: type) -> None:
        y, x = torch.tensor([0, 5, -2]), torch.zeros(3, 2)
        ts = torch.linspace(0, 1, 4)
        end = make(Labelled()).simulate(x, ts, y=y)
        torch.testing.assert_close(end, y[:, None].float().expand(3, 2))
        path = make(Labelled()).simulate_with_trajectory(x, ts, y=y)
        torch.testing.assert_close(path[:, -1], end)

    def test_a_field_of_the_wrong_shape_is_refused(self) -> None:
        class Narrow(ODE):
            def drift_coefficient(self, x: Tensor, t: Tensor, **conditioning: object) -> Tensor:
                return x[:, :1]

        for make in (EulerSimulator, HeunSimulator):
            with pytest.raises(ValueError, match=r"Narrow.drift_coefficient returned shape"):
                make(Narrow()).simulate(torch.ones(2, 3), torch.linspace(0, 1, 3))

    def test_progress_is_quiet_unless_asked_for(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("COURSE_PROGRESS", "1")
        ts = torch.linspace(0, 1, 4)
        EulerSimulator(Growth()).simulate(torch.ones(2, 3), ts)
        assert capsys.readouterr() == ("", "")
        EulerSimulator(Growth(), show_progress=True).simulate(torch.ones(2, 3), ts)
        shown = capsys.readouterr()
        assert "EulerSimulator" in shown.out and shown.err == ""


@pytest.mark.parametrize(
    ("num_timesteps", "every", "indices"),
    [
        (5, 1, [0, 1, 2, 3, 4]),
        (5, 2, [0, 2, 4]),
        (6, 2, [0, 2, 4, 5]),
        (5, 100, [0, 4]),
        (2, 1, [0, 1]),
        (1, 1, [0]),
    ],
)
def test_record_every(num_timesteps: int, every: int, indices: list[int]) -> None:
    assert record_every(num_timesteps, every).tolist() == indices


@pytest.mark.parametrize(("num_timesteps", "every"), [(5, 0), (0, 1), (5, -1)])
def test_record_every_refuses(num_timesteps: int, every: int) -> None:
    with pytest.raises(ValueError, match="expected both to be at least 1"):
        record_every(num_timesteps, every)


class TestTimeGrid:
    @pytest.mark.parametrize("kind", ["uniform", "cosine", "power"])
    @pytest.mark.parametrize("num_steps", [1, 2, 20, 300])
    def test_increases_from_0_to_1(self, kind: str, num_steps: int) -> None:
        ts = time_grid(num_steps, kind)
        assert ts.shape == (num_steps + 1,) and ts.dtype == torch.float32
        assert ts[0] == 0 and ts[-1] == 1
        assert bool((ts.diff() > 0).all())

    def test_by_hand(self) -> None:
        assert time_grid(4).tolist() == [0, 0.25, 0.5, 0.75, 1]
        assert time_grid(4, "power").tolist() == [0, 7 / 16, 12 / 16, 15 / 16, 1]
        assert time_grid(4, "power", power=1).tolist() == time_grid(4).tolist()
        early = time_grid(2, "power", power=0.5).tolist()
        assert early == pytest.approx([0, 1 - math.sqrt(0.5), 1])
        assert time_grid(3, "cosine").tolist() == pytest.approx([0, 0.25, 0.75, 1])

    @pytest.mark.parametrize("make", [EulerSimulator, HeunSimulator])
    @pytest.mark.parametrize("kind", ["cosine", "power"])
    def test_simulators_converge_on_every_kind(self, make: type, kind: str) -> None:
        x = torch.ones(1, 1, dtype=torch.float64)
        end = make(Growth()).simulate(x, time_grid(400, kind)).item()
        assert end == pytest.approx(growth_at(1), abs=6e-3)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ((0,), "num_steps is 0"),
            ((3, "power", 0.0), "expected at least 1 step and a power above 0"),
            ((3, "power", float("nan")), "power is nan"),
            ((3, "linear"), "kind is 'linear'; expected one of 'uniform', 'cosine', 'power'"),
        ],
    )
    def test_errors(self, arguments: tuple, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            time_grid(*arguments)
