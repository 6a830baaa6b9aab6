# SPDX-License-Identifier: Apache-2.0
"""The peers' environment: made once beside the tests' own."""

from __future__ import annotations

import venv
from pathlib import Path

from tests.benchmarks.lab import run_checked
from tests.embedded import ROOT

REQUIREMENTS = ROOT / "tests" / "benchmarks" / "requirements.txt"
HERE = Path(__file__).parent


def peer_python() -> str:
    """Path of a Python that has the peers' packages; installs them at the first call."""
    folder = ROOT / ".venv-benchmarks"
    python, stamp = folder / "bin" / "python", folder / ".stamp"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        run_checked(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(REQUIREMENTS)]
        )
        stamp.write_text(wanted, encoding="utf-8")
    return str(python)
