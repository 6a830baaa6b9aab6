# SPDX-License-Identifier: Apache-2.0
"""The installable package: what is in it, what it needs, and another project that uses it."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
from KubeVirtLibrary import __version__
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = Path(__file__).parent / "foreign"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SETS = {
    "cluster": ["requirements.txt"],
    "embedded": ["requirements.txt", "emulator/requirements.txt"],
    "tests": ["requirements.txt", "emulator/requirements.txt", "tests/requirements.txt"],
}


def requirements(name: str) -> dict[str, Requirement]:
    """The requirements of a file, by their names in one spelling."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {same(found.name): found for found in map(Requirement, filter(is_requirement, lines))}


def is_requirement(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def same(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: a build leaves files beside its sources."""
    folder = tmp_path_factory.mktemp("package")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(
        ROOT / "libraries", folder / "libraries", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        "dist",
        ".",
    ]
    subprocess.run(pip, check=True, cwd=folder, capture_output=True)
    (found,) = (folder / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """The Python of another project: it has the wheel, and what the wheel needs, but not this checkout."""
    folder = wheel.parents[1] / "environment"
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "requirements.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return python


def robot(python: Path, suite: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(python),
        "-m",
        "robot",
        "--output",
        "NONE",
        "--log",
        "NONE",
        "--report",
        "NONE",
        *arguments,
        str(suite),
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(suite.parent)}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=suite.parent, env=environment)


def test_it_has_the_libraries_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    packages = {"GuestLibrary", "KubeVirtLibrary", "livenad"}
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == packages
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    shipped = {str(path.relative_to(ROOT / "libraries")) for path in (ROOT / "libraries").rglob("*.resource")}
    assert {name for name in names if name.endswith(".resource")} == shipped


def test_its_metadata_are_those_of_the_project(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(archive.read(name))
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "Apache-2.0"
    needed = {
        same(found.name): str(found.specifier) for found in map(Requirement, metadata.get_all("Requires-Dist", []))
    }
    run = {name: str(found.specifier) for name, found in requirements("requirements.txt").items()}
    assert needed.items() <= run.items(), "a range differs from that in requirements.txt"
    assert all("<" in specifier for specifier in run.values()), "a range has no upper end"


def test_the_version_is_written_once() -> None:
    assert "version" in PROJECT["dynamic"]
    assert "version" not in PROJECT


def test_another_project_uses_it(python: Path, tmp_path: Path) -> None:
    suite = tmp_path / "tests.robot"
    for name in ("tests.robot", "steps.resource"):
        shutil.copy(FOREIGN / name, tmp_path)
    dry = robot(python, suite, "--dryrun")
    assert dry.returncode == 0, dry.stdout
    # Not only the names are there: without a cluster the first keyword says what is missing.
    run = robot(python, suite, "--variable", "KUBECONFIG:/nowhere")
    assert run.returncode == 1
    assert "LAB ERROR: " in run.stdout, run.stdout
    suite.write_text(
        suite.read_text(encoding="utf-8").replace("Change VM Network", "Chance VM Network"), encoding="utf-8"
    )
    assert "No keyword with name 'Chance VM Network' found" in robot(python, suite, "--dryrun").stdout


@pytest.mark.parametrize("name", SETS)
def test_the_lock_of_a_set_holds_its_requirements_with_hashes(name: str) -> None:
    text = (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"^([\w.-]+)==(\S+)[^\n]*((?:\n +[^\n]*)*)", text, re.MULTILINE)
    versions = {same(package): version for package, version, _ in blocks}
    assert [package for package, _, rest in blocks if "--hash=sha256:" not in rest] == []
    for wanted in (wanted for file in SETS[name] for wanted in requirements(file).values()):
        version = versions.get(same(wanted.name))
        assert version and wanted.specifier.contains(version), f"{wanted} is not locked: run scripts/locks.sh"


def test_a_set_has_the_versions_of_the_one_before() -> None:
    pins = [
        set(re.findall(r"^[\w.-]+==\S+", (ROOT / "locks" / f"{name}.txt").read_text(encoding="utf-8"), re.MULTILINE))
        for name in SETS
    ]
    assert pins[0] < pins[1] < pins[2]
