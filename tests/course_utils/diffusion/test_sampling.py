"""One step of each sampler, and what it does with each argument."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch
from exact_gaussian import ExactModel, Gaussian, points, same
from torch import Tensor

from course_utils.diffusion import sampling
from course_utils.diffusion.process import DiscreteDiffusion
from course_utils.diffusion.sampling import (
    Sampler,
    Step,
    ddim_reverse_loop,
    ddim_reverse_sample,
    ddim_sample,
    ddim_sample_loop,
    ddim_sample_progressive,
    p_sample,
    p_sample_loop,
    p_sample_progressive,
)
from course_utils.diffusion.schedules import cosine_betas, linear_betas

# Short of pure noise, so that what a sampling starts from can be seen at its end.
STEPS = [0, 40, 90, 150, 220, 300]
WHOLE = DiscreteDiffusion(linear_betas(1000))
PROCESS = DiscreteDiffusion(linear_betas(1000), kept=STEPS)
Y = torch.tensor([0, 1, 2, 1])
X = points(4)
T = torch.tensor([5, 3, 1, 2])


def model(x: Tensor, t: Tensor) -> Tensor:
    """Something whose guesses of x_0 leave [-1, 1] for some items."""
    return torch.sin(2 * x) / 2 + t[:, None] / 300


def wide_model(x: Tensor, t: Tensor) -> Tensor:
    return torch.cat([model(x, t), torch.cos(x)], 1)


def cond_fn(x: Tensor, t: Tensor, y: Tensor, scale: float = 1.0) -> Tensor:
    return scale * (torch.sin(2 * x) - 1 + y[:, None] / 2 + t[:, None] / 300)


PLAIN = Sampler(PROCESS, model)
GUIDED = replace(PLAIN, cond_fn=cond_fn, y=Y)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# Each draws the same noise at every call, so results differ by the sampler alone.
SAMPLERS: dict[str, Callable[[Sampler], Tensor]] = {
    "p_sample": lambda s: p_sample(s, X, T, generator()).sample,
    "ddim_sample": lambda s: ddim_sample(s, X, T).sample,
    "ddim_sample, eta 1": lambda s: ddim_sample(s, X, T, 1.0, generator()).sample,
    "ddim_reverse_sample": lambda s: ddim_reverse_sample(s, X, T - 1).sample,
    "p_sample_loop": lambda s: p_sample_loop(s, noise=X, generator=generator()),
    "p_sample_progressive": lambda s: last(p_sample_progressive(s, noise=X, generator=generator())),
    "ddim_sample_loop": lambda s: ddim_sample_loop(s, noise=X, eta=0.5, generator=generator()),
    "ddim_sample_progressive": lambda s: last(ddim_sample_progressive(s, noise=X)),
    "ddim_reverse_loop": lambda s: ddim_reverse_loop(s, X),
}
every_sampler = pytest.mark.parametrize("draw", SAMPLERS.values(), ids=SAMPLERS)
ancestral = pytest.mark.parametrize(
    "draw", [f for name, f in SAMPLERS.items() if name.startswith("p_")]
)


def last(steps: object) -> Tensor:
    return list(steps)[-1].sample


class TestNothingIsDropped:
    @every_sampler
    @pytest.mark.parametrize(
        "change",
        [
            {"process": DiscreteDiffusion(cosine_betas(1000), kept=STEPS)},
            {"process": DiscreteDiffusion(linear_betas(1000), kept=range(0, 60, 10))},
            {"model": lambda x, t: model(x, t) / 2},
            {"model": lambda x, t: model(x, 300 - t)},
            {"target": "x_start"},
            {"target": "previous_mean"},
            {"clip_denoised": False},
            {"cond_fn": partial(cond_fn, scale=2.0)},
            {"cond_fn": lambda x, t, y: cond_fn(x, 300 - t, y)},
            {"y": Y.flip(0)},
            {"cond_fn": None, "y": None},
        ],
        ids=lambda change: "-".join(change),
    )
    def test_every_setting_changes_the_samples(self, draw: Callable, change: dict) -> None:
        before, after = draw(GUIDED), draw(replace(GUIDED, **change))
        assert torch.equal(before, draw(GUIDED))
        assert (before - after).abs().max() > 1e-4

    @ancestral
    def test_so_does_the_variance(self, draw: Callable) -> None:
        kinds = [
            PLAIN,
            replace(PLAIN, variance="fixed_large"),
            replace(PLAIN, variance="learned_range", model=wide_model),
        ]
        small, large, learned = map(draw, kinds)
        assert (small - large).abs().max() > 1e-3 and (small - learned).abs().max() > 1e-3

    @every_sampler
    def test_a_model_that_learns_its_variance(self, draw: Callable) -> None:
        learned = replace(GUIDED, variance="learned_range", model=wide_model)
        assert draw(learned).shape == X.shape
        with pytest.raises(ValueError, match="twice the channels"):
            draw(replace(GUIDED, model=wide_model))

    @every_sampler
    def test_model_and_cond_fn_are_told_original_steps_and_labels(self, draw: Callable) -> None:
        told: dict[str, list] = {"model": [], "cond_fn": []}

        def noting_model(x: Tensor, t: Tensor) -> Tensor:
            told["model"].append(t.tolist())
            return model(x, t)

        def noting_cond_fn(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
            told["cond_fn"].append(t.tolist())
            assert torch.equal(y, Y)
            return cond_fn(x, t, y)

        draw(replace(GUIDED, model=noting_model, cond_fn=noting_cond_fn))
        assert told["model"] == told["cond_fn"]
        rows = {step for call in told["model"] for step in call}
        assert rows <= set(PROCESS.original_steps.tolist())
        assert max(rows) > 100

    @pytest.mark.parametrize("eta", [0.3, 1.0])
    def test_eta_in_steps_and_loops(self, eta: float) -> None:
        step = ddim_sample(GUIDED, X, T, eta, generator()).sample
        assert (step - ddim_sample(GUIDED, X, T).sample).abs().max() > 1e-3
        for loop in (
            lambda e: ddim_sample_loop(GUIDED, noise=X, eta=e, generator=generator()),
            lambda e: last(ddim_sample_progressive(GUIDED, noise=X, eta=e, generator=generator())),
        ):
            assert (loop(eta) - loop(0.0)).abs().max() > 1e-3


class TestGuidanceScale:
    @every_sampler
    @pytest.mark.parametrize("target", ["noise", "x_start", "previous_mean"])
    def test_0_changes_no_bit(self, draw: Callable, target: str) -> None:
        for clip in (True, False):
            plain = replace(PLAIN, target=target, clip_denoised=clip)
            zero = replace(plain, cond_fn=partial(cond_fn, scale=0.0), y=Y)
            assert torch.equal(draw(plain), draw(zero))

    @pytest.mark.parametrize("name", ["p_sample", "ddim_sample", "ddim_sample, eta 1"])
    def test_twice_the_scale_is_twice_the_shift(self, name: str) -> None:
        draw = SAMPLERS[name]
        shifts = [
            draw(replace(GUIDED, cond_fn=partial(cond_fn, scale=s))) - draw(PLAIN) for s in (1, 2)
        ]
        scale = shifts[0].abs().max()
        assert scale > 1e-3
        same(shifts[1] / scale, 2 * shifts[0] / scale, 1e-9)

    def test_1_moves_an_ancestral_step_by_variance_times_gradient(self) -> None:
        shift = SAMPLERS["p_sample"](GUIDED) - SAMPLERS["p_sample"](PLAIN)
        a, before, beta = (
            table[T, None] for table in (PROCESS.alphas_bar, PROCESS.alphas_bar_prev, PROCESS.betas)
        )
        gradient = cond_fn(X, PROCESS.original_steps[T], Y)
        same(shift, beta * (1 - before) / (1 - a) * gradient, 1e-9)

    def test_1_in_ddim_is_the_exact_conditional_model(self) -> None:
        data, seen = Gaussian.full(), torch.tensor([0.8, -0.5, 0.4], dtype=torch.float64)

        def exact(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
            return data.log_seen_gradient(x, WHOLE.alphas_bar[t], seen, 0.3)

        plain = Sampler(PROCESS, ExactModel(data, PROCESS), clip_denoised=False)
        guided = replace(plain, cond_fn=exact, y=Y)
        conditional = replace(plain, model=ExactModel(data.given(seen, 0.3), PROCESS))
        for eta in (0.0, 1.0):
            draws = [
                ddim_sample_loop(s, noise=X, eta=eta, generator=generator())
                for s in (guided, conditional, plain)
            ]
            same(draws[0], draws[1])
            assert (draws[0] - draws[2]).abs().max() > 0.05


class TestRandomness:
    def test_a_generator_decides_all_of_it(self) -> None:
        loops = [
            lambda g: p_sample_loop(PLAIN, (4, 3), generator=g),
            lambda g: p_sample_loop(PLAIN, noise=X, generator=g),
            lambda g: ddim_sample_loop(PLAIN, (4, 3), generator=g),
            lambda g: ddim_sample_loop(PLAIN, noise=X, eta=1.0, generator=g),
            lambda g: p_sample(PLAIN, X, T, g).sample,
            lambda g: ddim_sample(PLAIN, X, T, 1.0, g).sample,
        ]
        state = torch.get_rng_state()
        for loop in loops:
            first = loop(generator())
            assert torch.equal(first, loop(generator()))
            assert (first - loop(generator(1))).abs().max() > 1e-3
        assert torch.equal(torch.get_rng_state(), state)

    def test_without_one_the_global_numbers_are_used(self) -> None:
        draws = []
        for _ in range(2):
            torch.manual_seed(3)
            draws.append(p_sample_loop(PLAIN, (4, 3)))
        assert torch.equal(*draws)
        assert (p_sample_loop(PLAIN, (4, 3)) - draws[0]).abs().max() > 1e-3

    def test_eta_0_draws_nothing(self) -> None:
        state = torch.get_rng_state()
        assert torch.equal(*(ddim_sample_loop(GUIDED, noise=X) for _ in range(2)))
        ddim_reverse_loop(GUIDED, X)
        assert torch.equal(torch.get_rng_state(), state)

    def test_the_noise_to_start_from_counts(self) -> None:
        for loop in (p_sample_loop, ddim_sample_loop):
            other = loop(PLAIN, noise=X + 0.1, generator=generator())
            assert (loop(PLAIN, noise=X, generator=generator()) - other).abs().max() > 1e-3
        drawn = torch.randn(4, 3, generator=generator())
        assert torch.equal(
            ddim_sample_loop(PLAIN, (4, 3), generator=generator()),
            ddim_sample_loop(PLAIN, noise=drawn),
        )

    def test_items_of_a_batch_get_noise_of_their_own(self) -> None:
        x = X[:1].expand(4, -1)
        sample = p_sample(PLAIN, x, torch.full((4,), 3), generator()).sample
        assert (sample[0] - sample[1]).abs().max() > 1e-3


class TestLoops:
    def test_are_their_steps_one_after_the_other(self) -> None:
        g, x, steps = generator(), X, []
        for step in reversed(range(6)):
            steps.append(p_sample(GUIDED, x, torch.full((4,), step), g))
            x = steps[-1].sample
        progressive = list(p_sample_progressive(GUIDED, noise=X, generator=generator()))
        assert torch.equal(p_sample_loop(GUIDED, noise=X, generator=generator()), x)
        for result, expected in zip(progressive, steps, strict=True):
            assert all(map(torch.equal, result, expected))

    def test_of_ddim_too(self) -> None:
        g, x, steps = generator(), X, []
        for step in reversed(range(6)):
            steps.append(ddim_sample(GUIDED, x, torch.full((4,), step), 0.7, g))
            x = steps[-1].sample
        settings = {"noise": X, "eta": 0.7}
        progressive = ddim_sample_progressive(GUIDED, **settings, generator=generator())
        assert torch.equal(ddim_sample_loop(GUIDED, **settings, generator=generator()), x)
        for result, expected in zip(progressive, steps, strict=True):
            assert all(map(torch.equal, result, expected))

    def test_run_without_gradients_and_give_them_back(self) -> None:
        x = X.clone().requires_grad_()
        for step in p_sample_progressive(GUIDED, noise=x):
            assert not step.sample.requires_grad and torch.is_grad_enabled()
        assert not ddim_sample_loop(GUIDED, noise=x).requires_grad
        assert not ddim_reverse_loop(GUIDED, x).requires_grad
        assert ddim_sample(PLAIN, x, T).sample.requires_grad

    def test_dtype_and_shape(self) -> None:
        for loop in (p_sample_loop, ddim_sample_loop):
            drawn = loop(PLAIN, (2, 3))
            assert drawn.dtype == torch.float32 and drawn.shape == (2, 3)
        images = p_sample_loop(Sampler(PROCESS, lambda x, t: x), (2, 1, 4, 4), device="cpu")
        assert images.shape == (2, 1, 4, 4)
        assert p_sample_loop(PLAIN, noise=X).dtype == torch.float64

    def test_progress_is_on_stdout_and_only_where_wanted(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("COURSE_PROGRESS", "1")
        for words, loop in (
            ("Sampling", partial(p_sample_loop, PLAIN, noise=X)),
            ("Sampling", lambda **how: last(p_sample_progressive(PLAIN, noise=X, **how))),
            ("DDIM", partial(ddim_sample_loop, PLAIN, noise=X)),
            ("DDIM", lambda **how: last(ddim_sample_progressive(PLAIN, noise=X, **how))),
            ("DDIM reversed", partial(ddim_reverse_loop, PLAIN, X)),
        ):
            loop()
            assert capsys.readouterr() == ("", "")
            loop(show_progress=True)
            shown = capsys.readouterr()
            assert words in shown.out and "100%" in shown.out and shown.err == ""

    def test_the_device_is_where_samples_are_drawn(self) -> None:
        for loop in (p_sample_loop, partial(ddim_sample_loop, eta=1.0)):
            drawn = loop(Sampler(PROCESS, lambda x, t: x), (2, 3), device="meta")
            assert drawn.device.type == "meta" and drawn.shape == (2, 3)

    def test_respaced(self) -> None:
        assert Sampler(WHOLE, model).respaced(6).process.num_steps == 6
        assert torch.equal(
            ddim_sample_loop(replace(GUIDED, process=WHOLE).respaced(6), noise=X),
            ddim_sample_loop(replace(GUIDED, process=WHOLE.respaced(6)), noise=X),
        )


class TestSteps:
    def test_there_is_no_noise_at_step_0(self) -> None:
        t = torch.tensor([0, 0, 1, 1])
        for draw in (p_sample, partial(ddim_sample, eta=1.0)):
            for variance in ("fixed_small", "fixed_large"):
                sampler = replace(PLAIN, variance=variance)
                a, b = (draw(sampler, X, t, generator=generator(s)).sample for s in (0, 1))
                assert torch.equal(a[:2], b[:2]) and (a[2:] - b[2:]).abs().max() > 1e-3
        same(p_sample(PLAIN, X, t).sample[:2], p_sample(PLAIN, X, t).pred_xstart[:2], 1e-12)

    def test_the_guess_of_x_0(self) -> None:
        plain, guided = p_sample(PLAIN, X, T), p_sample(GUIDED, X, T)
        assert torch.equal(plain.pred_xstart, guided.pred_xstart)
        assert torch.equal(plain.pred_xstart, PLAIN.predict(X, T).pred_xstart)
        assert plain.pred_xstart.abs().max() == 1
        moved = ddim_sample(GUIDED, X, T).pred_xstart - ddim_sample(PLAIN, X, T).pred_xstart
        assert moved.abs().max() > 1e-3

    def test_a_step_of_ddim_by_the_formula(self) -> None:
        x_start = model(X, PROCESS.original_steps[T]).clamp(-1, 1)
        a, before = PROCESS.alphas_bar[T, None], PROCESS.alphas_bar_prev[T, None]
        noise = (X - a.sqrt() * x_start) / (1 - a).sqrt()
        drawn = torch.randn(4, 3, dtype=torch.float64, generator=generator())
        for eta in (0.0, 0.4, 1.0):
            sigma = eta * ((1 - before) / (1 - a)).sqrt() * (1 - a / before).sqrt()
            expected = (
                before.sqrt() * x_start + (1 - before - sigma**2).sqrt() * noise + sigma * drawn
            )
            result = ddim_sample(replace(PLAIN, target="x_start"), X, T, eta, generator())
            same(result.sample, expected)
            assert isinstance(result, Step) and torch.equal(result.pred_xstart, x_start)

    def test_a_step_of_ddim_back_by_the_formula(self) -> None:
        t = T - 1
        x_start = model(X, PROCESS.original_steps[t]).clamp(-1, 1)
        a, after = PROCESS.alphas_bar[t, None], PROCESS.alphas_bar[t + 1, None]
        noise = (X - a.sqrt() * x_start) / (1 - a).sqrt()
        result = ddim_reverse_sample(replace(PLAIN, target="x_start"), X, t)
        same(result.sample, after.sqrt() * x_start + (1 - after).sqrt() * noise)


class TestErrors:
    def test_labels_and_cond_fn_come_together(self) -> None:
        with pytest.raises(ValueError, match="cond_fn is given without y; expected the labels"):
            Sampler(PROCESS, model, cond_fn=cond_fn)
        with pytest.raises(ValueError, match=r"y is given without cond_fn.*functools\.partial"):
            Sampler(PROCESS, model, y=Y)

    def test_choices(self) -> None:
        with pytest.raises(ValueError, match="target is 'eps'"):
            Sampler(PROCESS, model, target="eps")
        with pytest.raises(ValueError, match="variance is 'learned'"):
            Sampler(PROCESS, model, variance="learned")

    @every_sampler
    def test_labels(self, draw: Callable) -> None:
        with pytest.raises(ValueError, match=r"y has shape \(3,\).*each of the 4 items"):
            draw(replace(GUIDED, y=Y[:3]))

    @pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan")])
    def test_eta(self, eta: float) -> None:
        with pytest.raises(ValueError, match=f"eta is {eta}; expected 0"):
            ddim_sample(PLAIN, X, T, eta)

    @pytest.mark.parametrize("loop", [p_sample_loop, ddim_sample_progressive])
    def test_where_to_start(self, loop: Callable) -> None:
        for settings in ({}, {"shape": (4, 3), "noise": X}):
            with pytest.raises(ValueError, match="expected one of them"):
                loop(PLAIN, **settings)
        with pytest.raises(ValueError, match="device is cpu beside noise"):
            loop(PLAIN, noise=X, device="cpu")

    def test_no_step_beyond_the_last(self) -> None:
        with pytest.raises(ValueError, match="t holds 5, the last step; expected 0 … 4"):
            ddim_reverse_sample(PLAIN, X, T)

    @pytest.mark.parametrize("step", [p_sample, ddim_sample, ddim_reverse_sample])
    def test_steps(self, step: Callable) -> None:
        with pytest.raises(ValueError, match="t lies in 1 … 999"):
            step(PLAIN, X, torch.tensor([1, 2, 3, 999]))
        with pytest.raises(ValueError, match="expected whole steps"):
            step(PLAIN, X, T.double())


def test_noise_is_standard_normal() -> None:
    drawn = sampling._randn((20000,), generator(), torch.device("cpu"), torch.float64)
    assert abs(float(drawn.mean())) < 0.03 and float(drawn.std()) == pytest.approx(1, abs=0.02)
