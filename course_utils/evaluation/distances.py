"""Distances: between a field and the exact one, and between two sets of samples."""

import torch
from jaxtyping import Float
from torch import Tensor


@torch.no_grad()
def relative_error(estimate: Float[Tensor, "..."], exact: Float[Tensor, "..."]) -> float:
    """Root mean square of `estimate - exact` over that of `exact`; 0 is perfect, 1 is no better
    than an estimate of zero.

    Raises:
        ValueError: the shapes differ, or `exact` is empty or zero everywhere.
    """
    if estimate.shape != exact.shape:
        raise ValueError(
            f"estimate has shape {tuple(estimate.shape)} and exact {tuple(exact.shape)}; expected "
            "equal shapes."
        )
    exact = to_float64(exact)
    size = float(exact.norm())
    if size == 0:
        raise ValueError("exact is empty or zero everywhere, so no error can be relative to it.")
    return float((to_float64(estimate, exact.device) - exact).norm()) / size


@torch.no_grad()
def sliced_wasserstein(
    x: Float[Tensor, "n ..."],
    y: Float[Tensor, "m ..."],
    num_projections: int = 128,
    seed: int = 0,
) -> float:
    """Sliced Wasserstein-2 distance between two sets of samples, in the units of the samples.

    The root of the mean, over random unit directions, of the squared Wasserstein-2 distance
    between the projected samples, which in one dimension pairs equal quantiles. Bonneel et al.
    2015, "Sliced and Radon Wasserstein barycenters of measures".

    Args:
        x, y: samples `(n ...)` and `(m ...)` of the same shape each; n and m may differ.
        num_projections: directions, at least 1.
        seed: of the directions, which do not depend on the device or torch's global generator.

    Raises:
        ValueError: the samples differ in shape, or one set or `num_projections` is empty.
    """
    if x.shape[1:] != y.shape[1:] or x.numel() == 0 or y.numel() == 0 or num_projections < 1:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, y {tuple(y.shape)}, and num_projections is "
            f"{num_projections}; expected samples of one shape, and at least one of each."
        )
    first = to_float64(x.reshape(len(x), -1))
    second = to_float64(y.reshape(len(y), -1), first.device)
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(
        first.shape[1], num_projections, generator=generator, dtype=torch.float64
    )
    directions = (directions / directions.norm(dim=0)).to(first.device)
    first_quantiles = (first @ directions).sort(dim=0).values
    second_quantiles = (second @ directions).sort(dim=0).values
    from_first, from_second, widths = _matched_quantiles(len(x), len(y))
    gaps = first_quantiles[from_first] - second_quantiles[from_second]
    squared = (widths[:, None].to(first.device) * gaps.square()).sum(dim=0)
    return float(squared.mean().sqrt())


def _matched_quantiles(n: int, m: int) -> tuple[Tensor, Tensor, Tensor]:
    """Which of n and of m sorted samples meet in each piece of [0, 1], and the piece's width.

    Both quantile functions are constant between the multiples of 1/n and of 1/m. Counted in
    units of 1/(n m) these are whole numbers, so no rounding makes slivers of pieces.
    """
    edges = torch.cat([torch.arange(n + 1) * m, torch.arange(m + 1) * n]).unique()
    left = edges[:-1]
    return left // m, left // n, edges.diff().double() / (n * m)


def to_float64(value: Tensor, device: torch.device | None = None) -> Tensor:
    """`value` in float64 on `device` (its own unless given), or on the CPU instead of MPS."""
    target = value.device if device is None else device
    # Apple's GPUs have no float64.
    target = torch.device("cpu") if target.type == "mps" else target
    return value.to(target).to(torch.float64)
