"""The pictures of a class report: drawn, said in words, and the same each time."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ElementTree

import matplotlib
from odd_class import REPORT

from grading import class_figures
from grading.class_figures import Picture
from grading.items import items


def drawing(picture: Picture | None) -> ElementTree.Element:
    """What stands in a data address."""
    assert picture is not None
    kind, _, data = picture.address.partition(";base64,")
    assert kind == "data:image/svg+xml"
    return ElementTree.fromstring(base64.b64decode(data))


def test_scores_and_jobs_are_drawn_and_said() -> None:
    backend = matplotlib.get_backend()
    jobs = [item for item in items(REPORT) if item.lab == "a"]
    picture = class_figures.scores(REPORT, "a", jobs)
    assert drawing(picture).tag.endswith("svg")
    assert picture is not None
    assert "8 submissions, from 0 to 5 of 5 points, the median 3.5" in picture.text
    assert "1.1: 5 full points, 1 some points, 2 no points" in picture.text
    assert "1.2: 3 full points, 3 some points, 1 no points, 1 waits for a human." in picture.text
    assert class_figures.scores(REPORT, "a", jobs) == picture
    assert matplotlib.get_backend() == backend


def test_times_are_drawn_and_said() -> None:
    picture = class_figures.times(REPORT)
    assert drawing(picture).tag.endswith("svg")
    assert picture is not None and "a: 4 to 4 s, half of them below 4 s" in picture.text
