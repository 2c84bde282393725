"""What passes between probe and verdict is data, and lab 5 finds its jobs by their targets."""

import io
from typing import Any

import pytest
import torch
from diffusion_answers import NoisyTrainer, ddim_sample, process
from torch import Tensor

from course_utils.checks.classifier_guidance import LAB, check, ready
from course_utils.checks.classifier_guidance_stand_ins import read
from course_utils.checks.classifier_guidance_verdicts import close_items
from course_utils.checks.core import Crash, Values, judge, observe
from course_utils.checks.display import NotYet, Points
from course_utils.solved.classifier_guidance import classifier_guidance

TARGETS: dict[str, Any] = {"5.4": NoisyTrainer, "5.5": classifier_guidance}


def sent(values: Values) -> Values:
    """As another process would read them: tensors, numbers and text, nothing else."""
    buffer = io.BytesIO()
    torch.save(values, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)


@pytest.mark.parametrize("number", LAB.jobs)
def test_verdicts_need_nothing_but_data(number: str) -> None:
    target = TARGETS.get(number, process())
    for part in LAB.jobs[number].parts:
        observed = observe(part, target, part.inputs(4))
        assert not isinstance(observed, Crash)
        inputs, seen = sent(part.inputs(4)), sent(observed)
        assert all(isinstance(v, Tensor | int | float | str | None) for v in seen.values())
        findings = judge(part, inputs, seen)
        assert all(finding.ok for finding in findings), findings
        assert findings == judge(part, inputs, seen)


def test_points_and_parts_are_those_of_the_lab() -> None:
    points = {number: [part.points for part in job.parts] for number, job in LAB.jobs.items()}
    assert points == {
        "5.1": [2], "5.2": [2, 1], "5.3": [2, 1], "5.4": [2], "5.5": [2, 1], "5.6": [1.5, 1.5],
        "5.7": [1.5, 1.5],
    }  # fmt: skip


def test_check_goes_by_number_or_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(process(), job="5.1") is None
    assert check(classifier_guidance, seed=3) is None
    assert ready("5.1", "5.5")
    half = process(ddim_sample=lambda s, m, x, t, **o: 2 * ddim_sample(s, m, x, t, **o))
    earned = check(half, job="5.7")
    assert isinstance(earned, Points) and earned == 1.5
    with pytest.raises(NotYet, match="not yet"):
        check(process(q_sample=lambda s, x, t, e: x), job="5.1")
    with pytest.raises(ValueError, match="does not say which job"):
        check(process())
    assert not capsys.readouterr().err


def test_items_are_compared_by_their_own_size() -> None:
    expected = torch.tensor([[100.0, 1.0], [1e-3, 2e-3]])
    assert close_items(expected + torch.tensor([[0.05], [0.0]]), expected, 1e-3)
    assert not close_items(expected + 1e-4, expected, 1e-3)
    assert close_items(expected + 1e-4, expected, 1e-3, slack=1e-3)
    endless = torch.tensor([[float("inf"), 1.0], [1.0, 2.0]])
    assert close_items(endless, endless, 1e-3) and not close_items(expected, endless, 1e-3)


def test_a_result_is_read_in_every_form() -> None:
    four = (1, 2, 3, 4)
    expected = dict(zip(("mean", "variance", "log_variance", "pred_xstart"), four, strict=True))
    assert read(four) == read([*four]) == read(expected) == expected
    assert read(four[:2]) == "has 2 parts"
    assert "lacks" in str(read({"mean": 1}))
    assert "is a str" in str(read("mean"))
