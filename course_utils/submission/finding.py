"""Which notebook is meant: the one that this kernel runs, or the one that lies in this folder."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.submission.notebook import (
    MB,
    MOST_BYTES,
    Notebook,
    RefusedError,
    is_submit,
    lab_of,
    read,
    source_of,
)

# A file that was saved so recently is taken for what the student sees.
JUST_SAVED = 60.0
COLAB_SECONDS = 30


@dataclass(frozen=True)
class Found:
    """A notebook, the file that it lies in (None in Colab), and what to say about the choice."""

    notebook: Notebook
    path: Path | None
    notes: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """Where it lies, or where the kernel works."""
        return self.path.parent if self.path else Path.cwd()

    @property
    def age(self) -> float | None:
        """Seconds since the file was saved."""
        return time.time() - self.path.stat().st_mtime if self.path else None


def find(lab: str, given: Path | None = None, folder: Path | None = None) -> Found:
    """The saved notebook of a lab: the one given, the kernel's own, or the folder's.

    Raises RefusedError where there is none, or it cannot be read.
    """
    if given is not None:
        return _opened(given)
    own = _kernels_own(lab)
    if own is not None:
        return own
    here = folder or Path.cwd()
    usual = (f"{lab}.ipynb", f"{lab}/{lab}.ipynb", f"notebooks/{lab}/{lab}.ipynb")
    for name in usual:
        if (here / name).is_file():
            return _opened(here / name)
    return _by_content(lab, here)


def _opened(path: Path) -> Found:
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MOST_BYTES else b"\0" * (MOST_BYTES + 1)
    except OSError as error:
        raise RefusedError(
            f"{path} cannot be read ({error.strerror}): check the name of the notebook."
        ) from None
    return Found(read(data, path.name), path)


def _by_content(lab: str, folder: Path) -> Found:
    """The notebook of a folder that says it is this lab, whatever it is called."""
    labs: dict[Path, str | None] = {}
    for path in sorted(folder.glob("*.ipynb")):
        try:
            labs[path] = lab_of(json.loads(path.read_bytes())) if _is_small(path) else None
        except (OSError, ValueError, AttributeError, RecursionError):
            labs[path] = None
    fitting = [path for path, said in labs.items() if said == lab]
    if not fitting:
        raise RefusedError(_nothing(lab, folder, labs))
    newest = max(fitting, key=lambda path: path.stat().st_mtime)
    found = _opened(newest)
    if len(fitting) > 1:
        note = f"{len(fitting)} notebooks here are lab '{lab}'; {newest.name} was saved last."
    else:
        note = f"The notebook is called {newest.name} and not {lab}.ipynb; the zip has it right."
    return Found(found.notebook, newest, (note,))


def _is_small(path: Path) -> bool:
    return path.stat().st_size <= MOST_BYTES


def _nothing(lab: str, folder: Path, labs: dict[Path, str | None]) -> str:
    others = sorted({said for said in labs.values() if said})
    hint = f" The notebooks here are of lab {', '.join(others)}." if others else ""
    return (
        f"No saved notebook of lab '{lab}' was found in {folder}.{hint} Save it there, or name"
        f' the file: submit("{lab}", notebook="…/{lab}.ipynb").'
    )


# ---------------------------------------------------------------- the kernel's own notebook


def _kernels_own(lab: str) -> Found | None:
    """The notebook in which this very code runs, where its front end tells."""
    shell = _shell()
    if shell is None:
        return None
    live = _from_colab(lab)
    if live is not None:
        return live
    # VS Code puts the first there, Jupyter's server the second.
    for name in (shell.user_ns.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if isinstance(name, str) and name.endswith(".ipynb") and Path(name).is_file():
            return _opened(Path(name))
    return None


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if hasattr(shell, "kernel") else None


def _from_colab(lab: str) -> Found | None:
    """The notebook as Colab's page has it now: no file of it lies on the runtime's disk.

    Raises RefusedError in a Colab that does not hand it out.
    """
    if "google.colab" not in sys.modules and "COLAB_RELEASE_TAG" not in os.environ:
        return None
    try:
        from google.colab import _message

        answer = _message.blocking_request("get_ipynb", request="", timeout_sec=COLAB_SECONDS)
        data = json.dumps(answer["ipynb"], ensure_ascii=False, indent=1).encode()
    except Exception:  # a private part of Colab: it may be gone, silent or changed
        if Path(f"{lab}.ipynb").is_file():
            return None
        raise RefusedError(
            "Colab did not hand out the notebook: choose File > Download > Download .ipynb, and"
            " hand in that file, or upload it here and run this cell again."
        ) from None
    return Found(read(data, f"{lab}.ipynb"), None)


# ---------------------------------------------------------------- saved or not


def check_saved(found: Found, lab: str) -> str | None:
    """A sentence where the file just saved may be behind what this kernel ran.

    Raises RefusedError where it is behind: what the student sees would not be handed in.
    """
    shell = _shell()
    if shell is None or found.age is None:
        return None
    history = getattr(getattr(shell, "history_manager", None), "input_hist_raw", [])
    if not is_behind(history, found.notebook, lab):
        return None
    if found.age < JUST_SAVED:
        return "The cell that ran last does not stand in the saved notebook as it ran."
    raise RefusedError(
        f"{_name(found)} was last saved {ago(found.age)}, and cells have run since. Save it now"
        " (Ctrl+S, on a Mac Cmd+S), then run this cell again."
    )


def _name(found: Found) -> str:
    return found.path.name if found.path else "The notebook"


def is_behind(history: Sequence[str], notebook: Notebook, lab: str) -> bool:
    """Whether the last cell of a kernel's history, but for the one that runs, was not saved."""
    for count in range(len(history) - 2, 0, -1):
        ran = history[count].strip()
        if ran and not is_submit({"cell_type": "code", "source": ran}, lab):
            return not any(_is(cell, count, ran) for cell in notebook.cells)
    return False


def _is(cell: Any, count: int, ran: str) -> bool:
    return cell.get("execution_count") == count and source_of(cell).strip() == ran


def ago(seconds: float) -> str:
    """A time span in words."""
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {word}{'s' * (number > 1)} ago"
    return "just now"


def labelled_size(data: bytes) -> str:
    """A size for people."""
    return f"{len(data) / MB:.1f} MB" if len(data) >= MB / 10 else f"{len(data) / 1000:.0f} kB"


def bullets(lines: Sequence[str]) -> Iterator[str]:
    """Lines as a list."""
    for line in lines:
        yield f"  · {line}"
