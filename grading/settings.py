"""What an instructor sets once for a class, in `course.toml` at the top of the course folder."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import course_utils
from grading.notebooks import CourseError

FILE = "course.toml"
ELSEWHERE = ("due", "late")  # grading.deadlines
KEYS = {"handout": ("address",), "colab": ("repository", "branch")}
ADDRESS = re.compile(r"(https?|file)://[^\s\"'\\]+")
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
BRANCH = re.compile(r"[\w.-]+(/[\w.-]+)*")
BEGIN, END = "<!-- badges: `course release` writes what stands here -->", "<!-- end of badges -->"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
UNSET = (
    "*No badges yet: nobody has said where these notebooks are on the web. Set `address` and "
    f"`repository` in [`{FILE}`]({FILE}) and run `course release`; “Open in Colab” then stands "
    "here for each lab.*"
)


@dataclass(frozen=True)
class Settings:
    """``course.toml``. What is empty is not set."""

    address: str = ""
    repository: str = ""
    branch: str = "main"

    def wheel_address(self, lab: str) -> str:
        """Where the first cell of a lab fetches its wheel; empty if there is no address."""
        return f"{self.address}/{wheel_name(lab)}" if self.address else ""


def distribution(lab: str) -> str:
    """The name of a lab's wheel, as it stands in the wheel's file name."""
    return f"generative_models_course_{lab}"


def wheel_name(lab: str) -> str:
    """The file name of a lab's wheel."""
    return f"{distribution(lab)}-{course_utils.__version__}-py3-none-any.whl"


def settings(root: Path) -> Settings:
    """The settings of a course folder; without a ``course.toml`` nothing is set.

    Raises:
        CourseError: the file is no TOML, or a setting is unknown or makes no sense.
    """
    path = root / FILE
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{path} cannot be read ({error}); expected TOML, as the course's repository has it: "
            "mend it, or restore it from version control."
        ) from error
    problems = list(_problems(tree))
    if problems:
        raise CourseError(f"{path}: {'; '.join(problems)}. Mend it and run this again.")
    found = {key: value for part in KEYS for key, value in tree.get(part, {}).items()}
    return Settings(**found | {"address": found.get("address", "").rstrip("/")})


def _problems(tree: Mapping[str, Any]) -> Iterator[str]:
    for part, values in tree.items():
        if part in ELSEWHERE:
            continue
        if part not in KEYS or not isinstance(values, dict):
            yield f"[{part}] is no part of it; expected [handout], [colab], [due] and [late]"
            continue
        for key, value in values.items():
            if key not in KEYS[part]:
                yield f"[{part}] has {key}; expected {' and '.join(KEYS[part])}"
            elif not isinstance(value, str):
                yield f"{key} is {value!r}; expected text in quotes"
            elif value and not _PATTERNS[key].fullmatch(value):
                yield f"{key} is {value!r}; expected something like {_EXAMPLES[key]!r}"


_PATTERNS = {"address": ADDRESS, "repository": REPOSITORY, "branch": BRANCH}
_EXAMPLES = {
    "address": "https://www.example.edu/generative-models",
    "repository": "example/generative-models",
    "branch": "main",
}


# ---------------------------------------------------------------- README's badges


def badges(chosen: Settings, labs: Sequence[str]) -> str:
    """A line of "Open in Colab" badges, one for each lab; or what to do to have them."""
    if not (chosen.address and chosen.repository):
        return UNSET
    base = (
        f"https://colab.research.google.com/github/{chosen.repository}/blob/"
        f"{chosen.branch or 'main'}/notebooks"
    )
    return "\n".join(
        f"[![Open lab {number}, {lab}, in Colab]({BADGE})]({base}/{lab}/{lab}.ipynb)"
        for number, lab in enumerate(labs, start=1)
    )


def with_badges(readme: str, line: str) -> str:
    """A README with these badges between its two markers; as it is where it has none."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    return f"{head}{begin}\n{line}\n{end}{tail}" if begin and end else readme
