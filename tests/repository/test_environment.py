"""The three places that name packages agree, and none of them names an index."""

import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
CONDA_NAMES = {"torch": "pytorch", "jupyter-client": "jupyter_client"}


def declared() -> dict[str, Requirement]:
    """Every requirement of pyproject.toml, base and extras, without the project's own name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    lines = [*project["dependencies"], *chain.from_iterable(extras)]
    found = {}
    for line in lines:
        requirement = Requirement(line)
        if requirement.name != project["name"]:
            found[requirement.name] = requirement
    return found


def locked() -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(
        r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text(), re.M
    ):
        pins.setdefault(name.lower(), set()).add(version)
    return pins


def test_conda_environment_agrees_with_pyproject() -> None:
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    listed += listed.pop()["pip"]
    conda = {r.name: str(r.specifier) for r in map(Requirement, listed)}
    # Conda has no extras: tinycss2 is what bleach[css] stands for.
    assert conda.pop("pip") == "" and conda.pop("tinycss2")
    expected = {CONDA_NAMES.get(n, n): str(r.specifier) for n, r in declared().items()}
    assert conda == expected | {"python": ">=3.11"}


def test_lock_satisfies_pyproject() -> None:
    pins = locked()
    for name, requirement in declared().items():
        assert name in pins, f"{name} is not in requirements.lock: run `make lock`"
        for version in pins[name]:
            assert requirement.specifier.contains(version, prereleases=True)


def test_every_pin_has_a_hash() -> None:
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text())
    for block in blocks:
        if "==" in block.splitlines()[0]:
            assert "--hash=sha256:" in block, block.splitlines()[0]


def test_no_committed_file_names_an_index() -> None:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    pattern = re.compile(r"pypi\.org|pythonhosted|index-url|download\.pytorch\.org", re.I)
    # This very file spells the pattern out.
    names = [n for n in listing.stdout.split() if Path(n).name != Path(__file__).name]
    assert names
    for name in names:
        path = ROOT / name
        if path.is_file():
            assert not pattern.search(path.read_text(errors="ignore")), name
