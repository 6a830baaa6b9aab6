# SPDX-License-Identifier: Apache-2.0
"""Spelling and Markdown of the test plan, by codespell and PyMarkdown where they are installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODESPELL = "codespell"


def not_checked() -> list[str]:
    """What cannot be checked here, because its tool is missing: it comes with the requirements of the tests."""
    missing = [] if _codespell() else ["spelling (codespell is not installed)"]
    return missing if find_spec("pymarkdown") else [*missing, "Markdown (pymarkdownlnt is not installed)"]


def prose_problems(text: str) -> Iterator[str]:
    """One line a misspelt word and one a breach of markdownlint's rules."""
    if codespell := _codespell():
        # From the root, where its list of words is configured.
        yield from (line for line in _output([codespell, "-"], text, "spelling: ") if "==>" in line)
    if find_spec("pymarkdown"):
        arguments = [sys.executable, "-m", "pymarkdown", "--disable-rules", "md013", "scan-stdin"]
        yield from _output(arguments, text, "Markdown: ")


def _output(command: list[str], text: str, kind: str) -> Iterator[str]:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        for line in (done.stdout + done.stderr).splitlines():
            yield kind + line.strip()


def _codespell() -> str | None:
    beside = Path(sys.executable).with_name(CODESPELL)
    return str(beside) if beside.exists() else shutil.which(CODESPELL)
