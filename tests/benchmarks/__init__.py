# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: ``python -m tests.benchmarks``."""

import sys
from pathlib import Path

# As pytest does: the libraries lie beside the tests, and are not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "libraries"))
