"""Time, in every shape that it may come in, against a batch."""

import pytest
import torch

from course_utils.shapes import expand_batch, expand_time, time_batch

TIMES = torch.tensor([0.0, 0.25, 1.0])


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 1, 1), (3, 1, 1, 1)])
@pytest.mark.parametrize("x_shape", [(3,), (3, 2), (3, 1, 4, 4)])
def test_one_time_each_keeps_its_order(shape: tuple[int, ...], x_shape: tuple[int, ...]) -> None:
    x = torch.zeros(x_shape)
    assert torch.equal(time_batch(TIMES.reshape(shape), x), TIMES)
    expanded = expand_time(TIMES.reshape(shape), x)
    assert expanded.shape == (3, *[1] * (len(x_shape) - 1))
    assert torch.equal(expanded.flatten(), TIMES)


@pytest.mark.parametrize(
    "t",
    [0.5, torch.tensor(0.5), torch.tensor([0.5]), torch.tensor([[[0.5]]])],
    ids=["number", "0-d", "one element", "1 1 1"],
)
def test_one_time_serves_the_whole_batch(t: torch.Tensor | float) -> None:
    x = torch.zeros(3, 1, 4, 4)
    assert time_batch(t, x).tolist() == [0.5, 0.5, 0.5]
    assert expand_time(t, x).shape == (3, 1, 1, 1)


@pytest.mark.parametrize("t", [0, 1, torch.tensor(1), torch.tensor([0, 1, 1])])
def test_whole_numbers_become_floats(t: torch.Tensor | int) -> None:
    assert time_batch(t, torch.zeros(3, 2)).dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dtype_and_device_are_those_of_x(dtype: torch.dtype) -> None:
    x = torch.zeros(3, 2, dtype=dtype)
    assert time_batch(TIMES.double(), x).dtype == dtype
    meta = torch.zeros(3, 2, device="meta", dtype=dtype)
    assert expand_time(TIMES, meta).device.type == "meta"
    assert expand_time(0.5, meta).dtype == dtype


def test_a_number_is_not_rounded_on_its_way_to_float64() -> None:
    x = torch.zeros(3, 2, dtype=torch.float64)
    assert time_batch(0.97, x)[0].item() == 0.97
    assert expand_batch(0.1, x)[0].item() == 0.1


def test_gradients_reach_t() -> None:
    t = torch.rand(3, requires_grad=True)
    expand_time(t, torch.zeros(3, 2)).square().sum().backward()
    assert t.grad is not None
    torch.testing.assert_close(t.grad, 2 * t.detach())


@pytest.mark.parametrize("shape", [(4,), (1, 3), (3, 2), (2,), (3, 1, 2)])
def test_wrong_sizes_say_what_fits(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected one t for each of the 3 samples, as \(3,\)"):
        time_batch(torch.full(shape, 0.5), torch.zeros(3, 2))


@pytest.mark.parametrize(
    "t", [-0.01, 1.01, 250, torch.tensor([0.0, 0.5, 1.5]), torch.tensor(float("nan"))]
)
def test_times_outside_the_unit_interval(t: torch.Tensor | float) -> None:
    for function in (time_batch, expand_time):
        with pytest.raises(ValueError, match=r"expected times in \[0, 1\]"):
            function(t, torch.zeros(3, 2))


def test_rounding_at_the_ends_is_no_error() -> None:
    time_batch(torch.tensor([1 + 1e-7, -1e-7, 0.5]), torch.zeros(3, 2))


@pytest.mark.parametrize("x", [torch.tensor(1.0), torch.zeros(3, dtype=torch.float32).sum()])
def test_x_without_a_batch(x: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="first axis is the batch"):
        time_batch(0.5, x)


def test_an_empty_batch_stays_empty() -> None:
    assert time_batch(torch.zeros(0), torch.zeros(0, 2)).shape == (0,)
    assert expand_time(0.5, torch.zeros(0, 2)).shape == (0, 1)


def test_expand_batch_takes_any_value() -> None:
    x = torch.zeros(3, 1, 2, 2)
    assert expand_batch(-7.0, x).flatten().tolist() == [-7.0] * 3
    assert expand_batch(torch.tensor([1.0, 2, 3]), x).shape == (3, 1, 1, 1)
    with pytest.raises(ValueError, match="value has shape"):
        expand_batch(torch.zeros(2), x)
