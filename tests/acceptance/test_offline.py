# SPDX-License-Identifier: Apache-2.0
"""What has to work without a cluster, quickly, and without the embedded one."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )


def test_dry_run_of_all_suites_imports_neither_emulator_nor_client(tmp_path: Path) -> None:
    outputs = ["--outputdir", str(tmp_path), "--log", "NONE", "--report", "NONE"]
    began = time.monotonic()
    dry = run("-X", "importtime", "-m", "robot", "--dryrun", *outputs, "--pythonpath", "libraries", "suites")
    seconds = time.monotonic() - began
    assert dry.returncode == 0, dry.stdout + dry.stderr
    imported = {line.rpartition("|")[2].strip() for line in dry.stderr.splitlines() if "import time:" in line}
    assert "robot" in imported, "the list of imports was not understood"
    assert not {name for name in imported if name.split(".")[0] in {"emulator", "kubernetes", "paramiko"}}
    print(f"dry run: {seconds:.2f} s")


@pytest.mark.parametrize("library", ["KubeVirtLibrary", "GuestLibrary"])
def test_libdoc_documents_every_keyword(library: str, tmp_path: Path) -> None:
    target = tmp_path / f"{library}.html"
    made = run("-m", "robot.libdoc", "--pythonpath", "libraries", library, str(target))
    assert made.returncode == 0, made.stdout + made.stderr
    assert made.stderr == ""
    assert target.stat().st_size > 10_000


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_robocop_finds_nothing(command: list[str]) -> None:
    found = run("-m", "robocop", *command, "--no-cache", "suites", "resources")
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize(
    ("folder", "foreign"),
    [
        ("libraries", {"emulator", "testplan"}),
        ("emulator", {"livenad", "KubeVirtLibrary", "GuestLibrary", "libraries", "testplan", "robot"}),
        ("libraries/livenad", {"robot", "robotlibcore", "KubeVirtLibrary", "GuestLibrary"}),
        ("testplan", {"emulator", "livenad", "KubeVirtLibrary", "GuestLibrary"}),
    ],
)
def test_rooms_know_only_what_they_may(folder: str, foreign: set[str]) -> None:
    """Libraries and embedded cluster meet over the Kubernetes API only."""
    for path in (ROOT / folder).rglob("*.py"):
        imports = re.findall(r"^\s*(?:import|from)\s+(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert not foreign.intersection(imports), path
