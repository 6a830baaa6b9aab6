# SPDX-License-Identifier: Apache-2.0
"""An unexpected error ends with 70 and one line, never with 1: that would say that the product is at fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.cli import cluster
from emulator.cli.main import main
from tests.embedded import ROOT

# A temporary folder that is full, in a mount namespace of its own.
_FULL = """\
mount -t tmpfs -o size=64k tmpfs "$1"
head -c 1M /dev/zero >"$1/full" 2>/dev/null
shift
exec "$@"
"""


@pytest.mark.circumstance(
    "a process of the embedded cluster breaks",
    topic="input",
    sees="the embedded cluster broke",
    verdict="exit 70",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("two\nlines"), "the embedded cluster broke: RuntimeError: two lines"),
        (ValueError("no such value"), "the embedded cluster broke: ValueError: no such value"),
        (ExceptionGroup("both", [KeyError("name")]), "the embedded cluster broke: KeyError: 'name'"),
        (OSError(28, "No space left on device", "/tmp/x"), "cannot be written to /tmp/x (No space left on device)"),  # noqa: S108
        (FileNotFoundError(2, "No usable temporary directory found in ['/tmp']"), "make room there"),
        (MemoryError(), "out of memory"),
    ],
)
def test_unexpected_is_one_line(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check_machine() -> list[object]:
        raise error

    monkeypatch.setattr(cluster, "check_machine", check_machine)
    assert main(["exec", "--", "true"]) == 70
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1


@pytest.mark.circumstance(
    "the temporary folder is full",
    topic="input",
    sees="No space left on device ... make room there, or set XDG_RUNTIME_DIR",
    verdict="exit 70",
    source="tried on commit 34c8c6b",
)
def test_full_temporary_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emulator", "exec", "--", "true"]
    folder = tmp_path / "tmp"
    folder.mkdir()
    finished = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "bash", "-c", _FULL, "full", str(folder), *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder)},
    )
    assert finished.returncode == 70, finished.stderr
    (line,) = finished.stderr.splitlines()
    assert "No space left on device" in line
    assert f"cannot be written to {folder}" in line
    assert "make room there, or set XDG_RUNTIME_DIR" in line
