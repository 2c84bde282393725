"""A lab as students get it: a zip with the notebook, and a wheel with what the notebook imports.

The wheel holds the closure of the released notebook's imports and no more: the course's own
modules, the lab's checks, the finished jobs of earlier labs that it builds on, and the weights that
it loads. It goes without the lab's own finished jobs and later ones', and without the right answers
that stand in while a job is judged (``checks/*_answers.py``).

hatchling, which builds the course's package too, writes the wheel; nothing is fetched for that.
"""

from __future__ import annotations

import ast
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import course_utils
from grading.modules import PACKAGE, closure, imports_of, notebook_imports
from grading.notebooks import CourseError, read_notebook
from grading.release import all_labs
from grading.settings import distribution, settings, wheel_name

ANSWERS = "*_answers.py"
LOCK = "requirements.lock"
EPOCH = (2020, 1, 1, 0, 0, 0)
"""The time of all files in a handout, so that the same sources give the same bytes."""
LOADERS = ("load", "read", "fill", "milestones")

README = Template("""# $number. $title

This is lab $number of *$course*, $points points. What is in here:

| file | |
|---|---|
| `$lab.ipynb` | the lab: open it, run it from the top, and write your jobs |
| `$wheel` | the course's own code, `course_utils`; the notebook's first cell unpacks it |
| `requirements.txt` | the packages that the lab needs, in versions that were tried |

Keep the three together, in a folder in which you may write. You need Python 3.11 or newer, no GPU.

## Three ways to open it

**JupyterLab on your machine.** In a terminal, in this folder:

    python3 -m venv venv
    venv/bin/pip install -r requirements.txt
    venv/bin/jupyter lab $lab.ipynb

(On Windows: `py -m venv venv`, and `venv\\Scripts\\` in the place of `venv/bin/`.)

**Google Colab.** $colab Nothing that Colab has is changed, its torch least of all.

**Any other Jupyter** that has torch and torchvision, such as a university's or an editor's: upload
the notebook and the `.whl` file into one folder, open the notebook, and run it.

The first cell says in one line what it found or fetched. It unpacks the course into `course-$lab`
beside the notebook; if that folder is ever damaged, delete it and run the first cell again.
""")

PYPROJECT = Template("""[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "$name"
version = "$version"
description = "$description"
requires-python = "$python"
license = "$licence"
dependencies = $dependencies

[tool.hatch.build.targets.wheel]
packages = ["$package"]
""")


@dataclass(frozen=True)
class Handout:
    """What a lab's handout is made of.

    ``modules`` and ``weights`` are paths relative to the folder of `course_utils`.
    """

    lab: str
    notebook: NotebookNode
    modules: tuple[Path, ...]
    weights: tuple[Path, ...]


# ---------------------------------------------------------------- what belongs into it


def contents(root: Path, lab: str) -> Handout:
    """What the handout of a released lab holds. Writes nothing.

    Raises:
        CourseError: the lab is not released, or imports what students must not have.
    """
    notebook = read_notebook(root / "notebooks" / lab / f"{lab}.ipynb")
    package = _package(root)
    names = notebook_imports(notebook)
    barred = _barred(root, lab, package)
    modules = closure(names, package, without=barred)
    _refuse_barred(lab, notebook, modules, barred, package)
    weights = _weights(notebook, modules, package)
    return Handout(lab, notebook, tuple(sorted(modules)), tuple(sorted(weights)))


def _package(root: Path) -> Path:
    own = root / PACKAGE
    return own if own.is_dir() else Path(course_utils.__file__).parent


def _barred(root: Path, lab: str, package: Path) -> list[str]:
    """The modules that hold answers to the lab or a later one."""
    labs = all_labs(root)
    solved = [f"{PACKAGE}.solved.{later}" for later in labs[labs.index(lab) :]]
    answers = [f"{PACKAGE}.checks.{path.stem}" for path in package.glob(f"checks/{ANSWERS}")]
    return [*solved, *sorted(answers)]


def _refuse_barred(
    lab: str, notebook: NotebookNode, modules: Iterable[Path], barred: list[str], package: Path
) -> None:
    """A module may try to import answers, and go without; nothing may need finished jobs."""
    solved = {name for name in barred if name.startswith(f"{PACKAGE}.solved.")}
    found = [(f"notebooks/{lab}", name) for name in notebook_imports(notebook) & solved]
    for module in modules:
        text = (package / module).read_text(encoding="utf-8")
        found += [(module.as_posix(), name) for name in set(imports_of(text)) & solved]
    if found:
        where, name = min(found)
        raise CourseError(
            f"The handout of {lab} cannot be made: {where} imports {name}, which holds "
            "answers; expected only finished jobs of earlier labs: write it without them."
        )


def _weights(notebook: NotebookNode, modules: Iterable[Path], package: Path) -> Iterator[Path]:
    """Files of the weights that the lab loads, with their model cards.

    Weights are named where they are loaded. So: the functions and classes of the package that the
    notebook may call, told by their names alone, and of them and of the cells those that load.
    """
    defined = [
        node
        for module in modules
        if module != Path("pretrained.py")
        for node in ast.walk(ast.parse((package / module).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    reached: list[ast.AST] = [
        _tree(cell.source) for cell in notebook.cells if cell.cell_type == "code"
    ]
    called = set[str]().union(*map(_called, reached))
    while fresh := [node for node in defined if node.name in called and node not in reached]:
        reached += fresh
        called = called.union(*map(_called, fresh))
    named = set[str]().union(*(_texts(node) for node in reached if _loads(node)))
    for path in sorted((package / "weights").glob("*.safetensors")):
        if path.stem in named:
            yield from (path.relative_to(package), path.with_suffix(".md").relative_to(package))


def _tree(source: str) -> ast.AST:
    try:
        return ast.parse(source)
    except SyntaxError:  # magics; the course's own cells have none
        return ast.Module([], [])


def _called(tree: ast.AST) -> set[str]:
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    plain = {one.id for one in functions if isinstance(one, ast.Name)}
    return plain | {one.attr for one in functions if isinstance(one, ast.Attribute)}


def _loads(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in LOADERS
        and isinstance(node.value, ast.Name)
        and node.value.id == "pretrained"
        for node in ast.walk(tree)
    )


def _texts(tree: ast.AST) -> set[str]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


# ---------------------------------------------------------------- writing it


def write(root: Path, lab: str, out: Path) -> list[Path]:
    """Write ``<lab>.zip`` and the lab's wheel into ``out``; return their paths.

    The same sources give the same bytes.

    Raises:
        CourseError: as :func:`contents`; or a file of the course folder is missing, or ``out``
            cannot be written.
    """
    handout = contents(root, lab)
    project = _project(root)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="course-handout-") as name:
            stage = Path(name)
            wheel = _wheel(handout, project, _package(root), stage)
            _zip(stage / f"{lab}.zip", lab, _files(root, handout, project, wheel))
            return [_put(stage / f"{lab}.zip", out), _put(wheel, out)]
    except OSError as error:
        raise CourseError(
            f"The handout of {lab} could not be written to {out} ({error.strerror or error}); "
            "expected a folder to write in: check permissions and disk space, or name another "
            "with --out."
        ) from error


def _project(root: Path) -> dict[str, Any]:
    path = root / "pyproject.toml"
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8"))["project"])
    except (OSError, ValueError, KeyError) as error:
        raise CourseError(
            f"{path} does not say what students need ({error}); expected the course's own, with "
            "[project] and its dependencies: restore it from version control."
        ) from error


def _put(path: Path, out: Path) -> Path:
    """Move a finished file into place in one step."""
    beside = out / f".{path.name}.part"
    shutil.copyfile(path, beside)
    return beside.replace(out / path.name)


def _wheel(handout: Handout, project: dict[str, Any], package: Path, stage: Path) -> Path:
    from hatchling.builders.wheel import WheelBuilder

    source = stage / "source"
    taken = {PACKAGE / path: package / path for path in (*handout.modules, *handout.weights)}
    if (package.parent / "LICENSE").is_file():
        taken[Path("LICENSE")] = package.parent / "LICENSE"
    for path, origin in taken.items():
        target = source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin, target)
        target.chmod(0o644)
    course = handout.notebook.metadata.get("course", {})
    text = PYPROJECT.substitute(
        name=canonicalize_name(distribution(handout.lab)),
        version=course_utils.__version__,
        description=f"What lab {course.get('number')}, {handout.lab}, imports",
        python=project["requires-python"],
        licence=project["license"],
        dependencies=project["dependencies"],
        package=PACKAGE,
    )
    (source / "pyproject.toml").write_text(text, encoding="utf-8")
    (made,) = WheelBuilder(str(source)).build(directory=str(stage), versions=["standard"])
    if Path(made).name != wheel_name(handout.lab):
        raise CourseError(
            f"hatchling named the wheel {Path(made).name}; expected {wheel_name(handout.lab)}, "
            "which is what the notebook looks for: report this."
        )
    return Path(made)


def _files(root: Path, handout: Handout, project: dict[str, Any], wheel: Path) -> dict[str, bytes]:
    lab = handout.lab
    return {
        "README.md": _readme(root, handout).encode(),
        f"{lab}.ipynb": (root / "notebooks" / lab / f"{lab}.ipynb").read_bytes(),
        wheel.name: wheel.read_bytes(),
        "requirements.txt": requirements(root, project).encode(),
    }


def _zip(path: Path, folder: str, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", EPOCH)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)


def _readme(root: Path, handout: Handout) -> str:
    course, chosen = handout.notebook.metadata.get("course", {}), settings(root)
    colab = "Upload the notebook and the `.whl` file (the folder symbol on the left), and run it."
    if chosen.address:
        colab = "Upload the notebook alone: its first cell fetches the rest."
    return README.substitute(
        number=course.get("number"),
        title=course.get("title"),
        points=course.get("points"),
        course="Generative models, in Jupyter",
        lab=handout.lab,
        wheel=wheel_name(handout.lab),
        colab=colab,
    )


def requirements(root: Path, project: dict[str, Any]) -> str:
    """``requirements.txt``: what students install, in the versions of the lock file.

    Raises:
        CourseError: the lock file is missing, or lacks a package.
    """
    wanted = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    names = {canonicalize_name(Requirement(line).name) for line in wanted}
    try:
        lock = (root / LOCK).read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(
            f"{root / LOCK} cannot be read ({error.strerror}); expected the versions that were "
            "tried: run `make lock`."
        ) from error
    pins = [line.removesuffix("\\").strip() for line in lock.splitlines() if _is_pin(line)]
    kept = [pin for pin in pins if canonicalize_name(Requirement(pin).name) in names]
    lacking = names - {canonicalize_name(Requirement(pin).name) for pin in kept}
    if lacking:
        raise CourseError(
            f"{root / LOCK} lacks {', '.join(sorted(lacking))}; expected a version of each package "
            "that students install: run `make lock`."
        )
    head = "# The versions that this lab was tried with. The course's own code is in the wheel.\n"
    return head + "".join(f"{pin}\n" for pin in sorted(kept))


def _is_pin(line: str) -> bool:
    return line[:1].isalnum() and "==" in line
