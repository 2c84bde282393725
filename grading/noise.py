"""The networks of lab 5 as `course train` makes them: how they are trained, drawn from, measured.

Both see T = 1000 steps of noise by the linear schedule of Ho et al. 2020. Its last steps leave a
little of the image (√ᾱ is 0.006), so that a guess of x_0 from there, and the pull of a classifier
on it, are not magnified beyond measure, as they are by the last steps of the cosine schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_utils import evaluation
from course_utils.diffusion.process import DiscreteDiffusion, q_sample
from course_utils.diffusion.sampling import Sampler, ddim_sample_loop
from course_utils.diffusion.schedules import linear_betas
from course_utils.mnist import NUM_CLASSES, MNISTSampler
from course_utils.recipes import Recipe
from course_utils.runtime import by_budget
from course_utils.training import Trainer

NUM_STEPS = 1000
BATCH_SIZE = 250
LOOKS_AT = (0, 100, 250, 500, 750)
"""Steps at which the noise-aware classifier is measured."""

Say = Callable[[str], None]


def whole_process() -> DiscreteDiffusion:
    """The thousand steps that both networks are trained on."""
    return DiscreteDiffusion(linear_betas(NUM_STEPS))


def trainer_for(data: MNISTSampler, recipe: Recipe, device: torch.device) -> Trainer:
    """What a recipe of lab 5 is trained on: noise, or digits in noise."""
    from course_utils.solved.classifier_guidance import (
        GaussianDiffusion,
        NoisePredictionTrainer,
        NoisyClassifierTrainer,
    )

    process = GaussianDiffusion(linear_betas(NUM_STEPS)).to(device)
    if recipe.learns == "digit":
        return NoisyClassifierTrainer(process, data)
    return NoisePredictionTrainer(process, data, recipe.eta, NUM_CLASSES)


def noise_model(
    net: nn.Module, labels: Int[Tensor, " n"] | None = None, w: float = 1.0
) -> Callable[[Tensor, Tensor], Tensor]:
    """``model(x, t)`` by lab 5's NoisePredictor: (1 − w) ε(x, t, ∅) + w ε(x, t, y).

    Without labels, or for w = 0, the unconditional model. Only what has a weight is asked for.
    """
    from course_utils.solved.classifier_guidance import NoisePredictor

    device = next(net.parameters()).device
    alphas_bar = whole_process().alphas_bar.float().to(device)
    predict = NoisePredictor(net, alphas_bar, NUM_CLASSES)

    def model(x: Tensor, t: Tensor) -> Tensor:
        if labels is None or w == 0:
            return predict(x, t)
        if w == 1:
            return predict(x, t, labels)
        null = torch.full_like(labels, NUM_CLASSES)
        both = predict(torch.cat([x, x]), torch.cat([t, t]), torch.cat([null, labels]))
        free, told = both.chunk(2)
        return (1 - w) * free + w * told

    return model


def draw(
    net: nn.Module,
    labels: Int[Tensor, " n"],
    w: float = 2.0,
    *,
    num_steps: int = 10,
    seed: int = 0,
    sample_loop: Callable[..., Tensor] = ddim_sample_loop,
    guide: Callable[[Tensor], Sampler] | None = None,
) -> Float[Tensor, "n 1 32 32"]:
    """Images of the labels; by default with classifier-free guidance at scale w, by DDIM.

    Args:
        num_steps: of the respaced process.
        seed: of the noise, the same for every w.
        sample_loop: `ddim_sample_loop` or `p_sample_loop`.
        guide: from the labels of a batch to another sampler, such as one with a classifier.
    """
    device = next(net.parameters()).device
    stream = torch.Generator().manual_seed(seed)
    process = whole_process()
    images = []
    for some in labels.to(device).split(BATCH_SIZE):
        sampler = guide(some) if guide else Sampler(process, noise_model(net, some, w))
        noise = torch.randn(len(some), 1, 32, 32, generator=stream).to(device)
        images.append(sample_loop(sampler.respaced(num_steps), noise=noise, generator=stream))
    return torch.cat(images)


@torch.no_grad()
def accuracy_by_step(
    classifier: nn.Module, data: MNISTSampler, steps: Sequence[int] = LOOKS_AT, seed: int = 0
) -> dict[int, evaluation.Estimate]:
    """How many noised images the noise-aware classifier reads right, by step."""
    images, labels = data.subset(min(len(data), by_budget(smoke=100, laptop=2000, full=len(data))))
    device = next(classifier.parameters()).device
    process, stream = whole_process(), torch.Generator().manual_seed(seed)
    found = {}
    for step in steps:
        t = torch.full((len(images),), step)
        x = q_sample(process, images.cpu(), t, torch.randn(images.shape, generator=stream))
        read = [
            classifier(some.to(device), when.to(device)).argmax(dim=1).cpu()
            for some, when in zip(x.split(BATCH_SIZE), t.split(BATCH_SIZE), strict=True)
        ]
        found[step] = evaluation.accuracy(torch.cat(read), labels.cpu())
    return found


def measure_classifier(net: nn.Module, source: str, say: Say = print) -> dict[str, str]:
    """Accuracy on test images with the noise of a few steps."""
    data = MNISTSampler(train=False, source=source)
    found = accuracy_by_step(net, data)
    for step, right in found.items():
        say(f"t = {step}: {right}")
    return {f"accuracy at step {step} of {NUM_STEPS:,}": str(a) for step, a in found.items()}
