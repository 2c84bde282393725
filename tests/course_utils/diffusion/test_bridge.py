"""Flows as diffusions and back, and a flow under a classifier, on Gaussians and their mixtures."""

from functools import partial

import pytest
import torch
from exact_gaussian import Gaussian, points, same
from torch import Tensor, nn

from course_utils.diffusion.bridge import (
    ClassifierGuidedODE,
    FlowAsNoiseModel,
    NoiseModelAsFlow,
    flow_times,
    to_diffusion,
    to_flow,
)
from course_utils.diffusion.conditioning import classifier_gradient
from course_utils.diffusion.process import DiscreteDiffusion
from course_utils.diffusion.sampling import Sampler, ddim_sample_loop
from course_utils.diffusion.schedules import cosine_betas, linear_betas
from course_utils.dynamics import ODE, EulerSimulator, HeunSimulator

PROCESSES = {
    "cosine": DiscreteDiffusion(cosine_betas(1000)),
    "linear": DiscreteDiffusion(linear_betas(1000)),
    "respaced": DiscreteDiffusion(cosine_betas(1000)).respaced(30),
}
COSINE = PROCESSES["cosine"]
Y = torch.tensor([0, 1, 0, 1, 2])
NULL = 2
CENTRES = torch.tensor([[0.8, -0.3, 0.2], [-0.5, 0.4, 0.6]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.3, 0.7], dtype=torch.float64)
VARIANCE = 0.2


@pytest.fixture(params=PROCESSES)
def process(request: pytest.FixtureRequest) -> DiscreteDiffusion:
    return PROCESSES[request.param]


def gaussian_flow(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
    """u = E[z − ε | x_t] for z ~ N(m, C): m + (t C − (1 − t) I) S⁻¹ (x − t m)."""
    data = Gaussian.full()
    t, eye = t.reshape(-1, 1, 1), torch.eye(3, dtype=torch.float64)
    total = t.square() * data.covariance + (1 - t).square() * eye
    gain = (t * data.covariance - (1 - t) * eye) @ torch.linalg.inv(total)
    return data.mean + (gain @ (x - t[..., 0] * data.mean)[..., None])[..., 0]


def class_flow(x: Tensor, t: Tensor, centre: Tensor) -> Tensor:
    """u of z ~ N(centre, VARIANCE I)."""
    t = t.reshape(-1, 1)
    total = t.square() * VARIANCE + (1 - t).square()
    return centre + (t * VARIANCE - (1 - t)) / total * (x - t * centre)


def log_joint(x: Tensor, signal: Tensor, noise: Tensor) -> Tensor:
    """log p(y, x) up to a constant for x = signal z + noise ε, z in the mixture: `(b, 2)`."""
    total = signal.square() * VARIANCE + noise.square()
    away = x[:, None] - signal[:, None, None] * CENTRES
    return WEIGHTS.log() - away.square().sum(2) / (2 * total[:, None])


class MixtureFlow(nn.Module):
    """u_t(x|y), and for the null label the average over the posterior of the label."""

    def forward(self, x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        both = torch.stack([class_flow(x, t, centre) for centre in CENTRES])  # y b d
        posterior = log_joint(x, t, 1 - t).softmax(1)
        mean = torch.einsum("by,ybd->bd", posterior, both)
        chosen = both[y.clamp(max=1), torch.arange(len(x))]
        return torch.where((y == NULL)[:, None], mean, chosen)


def classifier(x: Tensor, step: Tensor, process: DiscreteDiffusion = COSINE) -> Tensor:
    """Exact logits at the diffusion's x. √ᾱ : √(1 − ᾱ) = t : 1 − t gives ᾱ at any step."""
    t = to_flow(process, x.detach(), step).t
    a = t.square() / (t.square() + (1 - t).square())
    return log_joint(x, a.sqrt(), (1 - a).sqrt())


class GaussianFlow(ODE):
    def drift_coefficient(self, x: Tensor, t: Tensor) -> Tensor:
        return gaussian_flow(x, t)


class TestPoints:
    def test_the_same_ratio_of_signal_to_noise(self, process: DiscreteDiffusion) -> None:
        steps = process.original_steps
        x, z, noise = points(len(steps)), points(len(steps), 1), points(len(steps), 2)
        a = process.alphas_bar[:, None]
        x = a.sqrt() * z + (1 - a).sqrt() * noise
        flow = to_flow(process, x, steps)
        same((flow.t / (1 - flow.t)).log(), (a / (1 - a)).log()[:, 0] / 2)
        t = flow.t[:, None]
        same(flow.x, t * z + (1 - t) * noise)
        assert flow.t.diff().max() < 0
        same(flow_times(process), flow.t)

    def test_there_and_back(self, process: DiscreteDiffusion) -> None:
        steps = process.original_steps
        x = points(len(steps))
        back = to_diffusion(process, *to_flow(process, x, steps))
        same(back.step, steps.double(), 1e-6)
        same(back.x, x, 1e-9)

    def test_and_from_the_flow(self, process: DiscreteDiffusion) -> None:
        x, t = points(50), torch.linspace(0.01, 0.98, 50, dtype=torch.float64)
        forth = to_diffusion(process, x, t)
        assert (forth.step != forth.step.round()).any()
        back = to_flow(process, *forth)
        same(back.x, x, 1e-9)
        same(back.t, t, 1e-9)

    def test_in_float32(self) -> None:
        x, t = points(50).float(), torch.linspace(0.01, 0.98, 50)
        forth = to_diffusion(COSINE, x, t)
        assert forth.x.dtype == forth.step.dtype == torch.float32
        back = to_flow(COSINE, *forth)
        same(back.x, x, 1e-5)
        same(back.t, t, 1e-5)

    def test_beyond_the_ends(self) -> None:
        x = points(2)
        ends = to_diffusion(COSINE, x, torch.tensor([0.0, 1.0]))
        assert ends.step.tolist() == [999, 0]
        same(ends.x, x, 1e-12)

    def test_times_in_every_shape(self) -> None:
        x = points(2)
        for t in (0.3, torch.tensor(0.3), torch.full((2, 1), 0.3, dtype=torch.float64)):
            same(to_diffusion(COSINE, x, t).step, to_diffusion(COSINE, x, 0.3).step, 1e-4)

    def test_a_process_of_one_step(self) -> None:
        process = COSINE.respaced(1)
        assert to_diffusion(process, points(2), 0.5).step.tolist() == [999, 999]

    @pytest.mark.parametrize(
        ("step", "message"),
        [
            (torch.tensor([0, 1000]), "step lies in 0 … 1000; expected original steps 0 … 999"),
            (torch.tensor([-1.0, 3.0]), "step lies in -1 … 3"),
            (torch.tensor([float("nan"), 3.0]), "step lies in nan"),
            (torch.tensor([3]), r"step has shape \(1,\).*expected \(2,\)"),
        ],
    )
    def test_errors(self, step: Tensor, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            to_flow(COSINE, points(2), step)

    def test_times_outside(self) -> None:
        with pytest.raises(ValueError, match=r"expected times in \[0, 1\]"):
            to_diffusion(COSINE, points(2), torch.tensor([0.5, 3.0]))


class TestFlowAsNoiseModel:
    def test_the_exact_flow_is_the_exact_noise_model(self, process: DiscreteDiffusion) -> None:
        x, steps = points(process.num_steps), process.original_steps
        model = FlowAsNoiseModel(gaussian_flow, process)
        same(model(x, steps, None), Gaussian.full().noise(x, process.alphas_bar))

    def test_the_network_is_told_times_and_labels(self) -> None:
        told = []

        def net(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
            told.append((x, t, y))
            return x

        FlowAsNoiseModel(net, COSINE)(points(5), torch.arange(5), Y)
        ((x, t, y),) = told
        flow = to_flow(COSINE, points(5), torch.arange(5))
        assert torch.equal(x, flow.x) and torch.equal(t, flow.t) and torch.equal(y, Y)

    def test_samples_like_the_flow_itself(self) -> None:
        # DDIM is the flow's ODE in other coordinates: by the exact Gaussian they end alike.
        noise = points(4)
        model = FlowAsNoiseModel(gaussian_flow, COSINE)
        process = COSINE.respaced(200)
        sampler = Sampler(process, partial(model, y=None), clip_denoised=False)
        ts = torch.linspace(0, 1, 201, dtype=torch.float64)

        flow = HeunSimulator(GaussianFlow()).simulate(noise, ts)
        same(ddim_sample_loop(sampler, noise=noise), flow, 0.02)

    def test_networks_move_with_it(self) -> None:
        net = nn.Linear(2, 2)
        assert set(FlowAsNoiseModel(net, COSINE).parameters()) == set(net.parameters())

    def test_errors(self) -> None:
        model = FlowAsNoiseModel(lambda x, t, y: x[:, :1], COSINE)
        with pytest.raises(ValueError, match=r"net returned shape \(2, 1\)"):
            model(points(2), torch.tensor([1, 2]), Y[:2])


class TestNoiseModelAsFlow:
    def test_there_and_back_is_the_same_flow(self, process: DiscreteDiffusion) -> None:
        x, t = points(40), torch.linspace(0.02, 0.98, 40, dtype=torch.float64)
        back = NoiseModelAsFlow(FlowAsNoiseModel(gaussian_flow, process), process)
        same(back(x, t, None), gaussian_flow(x, t), 1e-6)
        single = back(x.float(), t.float(), None)
        assert single.dtype == torch.float32

    def test_in_float32(self) -> None:
        # Away from the ends: dividing by t multiplies rounding.
        def net(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
            return torch.sin(x) + t[:, None] + y[:, None]

        x, t = points(40).float(), torch.linspace(0.05, 0.95, 40)
        y = torch.arange(40) % 3
        back = NoiseModelAsFlow(FlowAsNoiseModel(net, COSINE), COSINE)
        same(back(x, t, y), net(x, t, y), 1e-5)

    def test_noise_to_flow_to_noise(self, process: DiscreteDiffusion) -> None:
        def model(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
            return torch.sin(x) + t[:, None] / 1000 + y[:, None]

        n = process.num_steps
        x, y = points(n), torch.arange(n) % 3
        back = FlowAsNoiseModel(NoiseModelAsFlow(model, process), process)
        same(back(x, process.original_steps, y), model(x, process.original_steps.double(), y))

    def test_clipping_only_moves_guesses_outside(self) -> None:
        x, t = points(40), torch.linspace(0.02, 0.98, 40, dtype=torch.float64)
        model = FlowAsNoiseModel(gaussian_flow, COSINE)
        free = gaussian_flow(x, t)
        clipped = NoiseModelAsFlow(model, COSINE, clip_denoised=True)(x, t, None)
        guess = x + (1 - t[:, None]) * free
        assert (guess.abs() > 1).any() and (guess.abs() < 1).any()
        same(clipped, (guess.clamp(-1, 1) - x) / (1 - t[:, None]))

    def test_the_ends_are_finite(self) -> None:
        model = FlowAsNoiseModel(gaussian_flow, COSINE)
        t = torch.tensor([0.0, 1.0], dtype=torch.float64)
        x = points(2)
        nearly = gaussian_flow(x, t.clamp(*(float(v) for v in flow_times(COSINE)[[-1, 0]])))
        same(NoiseModelAsFlow(model, COSINE)(x, t, None), nearly)

    def test_errors(self) -> None:
        flow = NoiseModelAsFlow(lambda x, t, y: x[:1], COSINE)
        with pytest.raises(ValueError, match=r"model returned shape \(1, 3\)"):
            flow(points(2), 0.5, Y[:2])


class TestClassifierGuidedODE:
    def ode(self, scale: float = 1.0, **settings: object) -> ClassifierGuidedODE:
        return ClassifierGuidedODE(
            MixtureFlow(), COSINE, classifier_gradient(classifier), NULL, scale, **settings
        )

    def test_scale_1_is_the_conditional_velocity(self) -> None:
        t = torch.linspace(0.02, 0.98, 40, dtype=torch.float64)
        x, y = points(40), torch.arange(40) % 3
        velocity = self.ode().drift_coefficient(x, t, y)
        same(velocity, MixtureFlow()(x, t, y))
        free = MixtureFlow()(x, t, torch.full_like(y, NULL))
        assert (velocity - free).abs().max() > 0.1

    def test_other_scales_move_along_the_same_line(self) -> None:
        x, t = points(5), torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9], dtype=torch.float64)
        free = MixtureFlow()(x, t, torch.full_like(Y, NULL))
        wanted = MixtureFlow()(x, t, Y)
        for scale in (-1.0, 0.5, 4.0):
            same(self.ode(scale).drift_coefficient(x, t, Y), free + scale * (wanted - free))

    def test_scale_0_changes_no_bit_and_asks_nothing(self) -> None:
        def asked(x: Tensor, step: Tensor, y: Tensor) -> Tensor:
            raise AssertionError

        ode = ClassifierGuidedODE(MixtureFlow(), COSINE, asked, NULL, 0)
        t = torch.full((5,), 0.4, dtype=torch.float64)
        free = MixtureFlow()(points(5), t, torch.full_like(Y, NULL))
        assert torch.equal(ode.drift_coefficient(points(5), t, Y), free)

    def test_only_within_the_interval(self) -> None:
        x, t = points(5), torch.tensor([0.1, 0.3, 0.5, 0.7, 0.3], dtype=torch.float64)
        inside = torch.tensor([False, True, True, False, True])
        velocity = self.ode(2.0, interval=(0.3, 0.5)).drift_coefficient(x, t, Y)
        same(velocity[inside], self.ode(2.0).drift_coefficient(x, t, Y)[inside])
        assert torch.equal(velocity[~inside], self.ode(0).drift_coefficient(x, t, Y)[~inside])

    def test_simulates_a_class(self) -> None:
        noise, y = points(200), torch.arange(200) % 2
        ts = torch.linspace(0, 1, 41, dtype=torch.float64)
        with torch.inference_mode():
            x = EulerSimulator(self.ode()).simulate(noise, ts, y=y)
        for label in (0, 1):
            same(x[y == label].mean(0).clone(), CENTRES[label], 0.15)

    def test_at_the_ends_it_is_finite(self) -> None:
        x = points(2)
        velocity = self.ode().drift_coefficient(x, torch.tensor([0.0, 1.0]), Y[:2])
        assert torch.isfinite(velocity).all()
        same(velocity[:1], CENTRES[:1] - x[:1], 1e-3)

    def test_the_networks_dtype(self) -> None:
        ode = ClassifierGuidedODE(
            lambda x, t, y: x, COSINE, lambda x, t, y: x * t[:, None], NULL, 2.0
        )
        assert ode.drift_coefficient(points(2).float(), 0.5, Y[:2]).dtype == torch.float32

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"null_label": -1}, "null_label is -1"),
            ({"scale": float("nan")}, "scale is nan"),
            ({"interval": (0.5, 0.2)}, r"interval is \(0\.5, 0\.2\)"),
        ],
    )
    def test_bad_settings(self, settings: dict, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            ClassifierGuidedODE(
                **{
                    "net": MixtureFlow(),
                    "process": COSINE,
                    "cond_fn": classifier_gradient(classifier),
                    "null_label": NULL,
                }
                | settings
            )

    @pytest.mark.parametrize(
        ("y", "message"),
        [
            (torch.tensor([0]), r"y has shape \(1,\)"),
            (torch.tensor([0.0, 1.0]), "dtype torch.float32; expected integers"),
            (torch.tensor([0, -1]), "integers from 0 on"),
            (torch.tensor([0, 3]), "y lies in 0 … 3; the classifier has 2"),
        ],
    )
    def test_bad_labels(self, y: Tensor, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            self.ode().drift_coefficient(points(2), 0.5, y)

    def test_bad_answers(self) -> None:
        flat = ClassifierGuidedODE(MixtureFlow(), COSINE, lambda x, t, y: x.sum(1), NULL)
        with pytest.raises(ValueError, match=r"cond_fn returned shape \(2,\)"):
            flat.drift_coefficient(points(2), 0.5, Y[:2])
        narrow = ClassifierGuidedODE(lambda x, t, y: x[:, :1], COSINE, lambda x, t, y: x, NULL)
        with pytest.raises(ValueError, match=r"net returned shape \(2, 1\)"):
            narrow.drift_coefficient(points(2), 0.5, Y[:2])
