# SPDX-License-Identifier: Apache-2.0
"""Each suite fails on the defect that it is there for: a table of what every defect must do, and what checks it."""

import sys
from pathlib import Path

# Defects by chance are judged by the core.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "libraries"))
