# SPDX-License-Identifier: Apache-2.0
"""A checkout whose Python is a stand-in, so that run.sh's own part can be seen without a network or a cluster."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NO_USER = 65534

# Answers what bootstrap.sh asks of a Python, makes environments that hold this same script, and records every call.
STAND_IN = """#!/bin/bash
printf '%s\\n' "$$ $*" >>"{log}"
case $* in
  "-c import ensurepip, venv") exit {venv_module} ;;
  "-c import pip, venv") exit {host_pip} ;;
  "-m venv "*)
    mkdir -p "${{@: -1}}/bin"
    cp "$0" "${{@: -1}}/bin/python"
    ;;
  *command_line.py*) exit {command_line} ;;
  *"-m pip install"*) printf '%s\n' "$$ pip is told ${{!PIP_*}}, $PIP_USER" >>"{log}" ;;
  *-m\\ emulator* | *run_suites.py*) printf '<%s>' "$@" ;;
esac
"""


@dataclass
class Checkout:
    """Where it lies, and what its stand-in for Python was asked to do."""

    folder: Path
    log: Path

    def run(
        self, *arguments: str, env: dict[str, str] | None = None, user: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs run.sh from another working directory."""
        return subprocess.run(
            [str(self.folder / "run.sh"), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
            cwd="/",
            env={"PATH": f"{self.folder}/bin:{os.environ['PATH']}", "HOME": str(self.folder / "home"), **(env or {})},
            user=user,
        )

    def calls(self) -> list[str]:
        """What the stand-in was called with, without the process ids."""
        if not self.log.exists():
            return []
        return [line.split(" ", 1)[1] for line in self.log.read_text(encoding="utf-8").splitlines()]

    def stand_in(self, *, venv_module: int = 0, host_pip: int = 0, command_line: int = 0) -> None:
        """Puts the stand-in on PATH; the numbers are the exit codes of what it is asked to look at."""
        codes = {"venv_module": venv_module, "host_pip": host_pip, "command_line": command_line}
        text = STAND_IN.format(log=self.log, **codes)
        for name in ("python3.14", "python3.13", "python3.12", "python3.11", "python3"):
            self.tool(name, text)

    def tool(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    """Not in pytest's own folder, which other users may not enter."""
    folder = Path(tempfile.mkdtemp(prefix="checkout-"))
    folder.chmod(0o755)
    for name in (
        "run.sh",
        "scripts",
        "locks",
        "requirements.txt",
        "emulator/requirements.txt",
        "tests/requirements.txt",
    ):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    (folder / "bin").mkdir()
    found = Checkout(folder, folder / "calls.log")
    found.log.touch()
    found.log.chmod(0o666)
    found.stand_in()
    # The host's own tools are not what these tests are about.
    for name in ("ip", "ping"):
        found.tool(name, "#!/bin/sh\n")
    yield found
    shutil.rmtree(folder)
