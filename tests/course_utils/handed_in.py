"""Notebooks as students save them, for the tests of handing in."""

import base64
import io
import json
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

Cell = dict[str, Any]


def prose(source: str, **more: Any) -> Cell:
    """A Markdown cell."""
    return {"cell_type": "markdown", "id": "text", "metadata": {}, "source": source} | more


def written(source: str, job: str = "2.5", **more: Any) -> Cell:
    """A written answer."""
    return prose(source) | {"metadata": graded(job, "answer", True, True)} | more


def code(source: str, count: int | None = 1, outputs: list[Any] | None = None) -> Cell:
    """A code cell that ran."""
    ran = {"execution_count": count, "outputs": outputs or []}
    return {"cell_type": "code", "id": "code", "metadata": {}, "source": source} | ran


def solved(source: str, job: str = "2.1", count: int | None = 1) -> Cell:
    """An answer in code."""
    return code(source, count) | {"metadata": graded(job, "answer", False, True)}


def check(job: str = "2.1", count: int | None = 2, outputs: list[Any] | None = None) -> Cell:
    """A cell that checks an answer."""
    return code("check(f)", count, outputs) | {"metadata": graded(job, "check", True, False)}


def submit_cell(lab: str = "cfg", count: int | None = None) -> Cell:
    """The last cell of a lab."""
    source = f'from course_utils.submission import submit\n\nsubmit("{lab}")'
    return code(source, count) | {"id": f"{lab}-submit"}


def graded(job: str, kind: str, grade: bool, solution: bool) -> dict[str, Any]:
    name = f"cfg-{job.replace('.', '-')}-{kind}"
    known = {"grade": grade, "solution": solution, "grade_id": name, "points": 2}
    return {"course": {"job": job}, "nbgrader": known}


def printed(text: str) -> Cell:
    """What a cell printed."""
    return {"output_type": "stream", "name": "stdout", "text": text}


def failed(name: str, message: str, traceback: list[str] | None = None) -> Cell:
    """What a cell ended with."""
    lines = traceback or [f"{name}: {message}"]
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": lines}


def shown(mime: str, data: str, plain: str = "<Figure size 640x480 with 1 Axes>") -> Cell:
    """What a cell displayed."""
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {mime: data, "text/plain": plain},
    }


def png(width: int, height: int) -> str:
    """A picture with a red frame, as a notebook stores it."""
    image = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(image).rectangle([0, 0, width - 1, height - 1], outline="red", width=9)
    stored = io.BytesIO()
    image.save(stored, "PNG")
    return base64.b64encode(stored.getvalue()).decode()


def notebook(*cells: Cell, lab: str | None = "cfg", **course: Any) -> dict[str, Any]:
    """A notebook of a lab."""
    about = {"lab": lab, "number": 2, "title": "Guidance"} | course if lab else {}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"course": about, "kernelspec": kernel},
        "cells": list(cells),
    }


def finished(lab: str = "cfg") -> dict[str, Any]:
    """A small lab in which nothing is missing."""
    names = ["cfg-2-1-answer", "cfg-2-1-check", "cfg-2-5-answer"]
    return notebook(
        prose("# A lab\n\nwith a formula $x_t$"),
        solved("def f(x):\n    return 2 * x"),
        check(outputs=[printed("2.1 done"), shown("image/png", png(640, 480))]),
        written("Because $p(x|y)$ is **conditional**, of course."),
        submit_cell(),
        lab=lab,
        graded=names,
    )


def save(tree: Any, path: Path) -> Path:
    """Write a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path
