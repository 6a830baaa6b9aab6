# SPDX-License-Identifier: Apache-2.0
"""The console against a scripted guest whose serial line, programs and accidents are simulated in virtual time."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "libraries"))
