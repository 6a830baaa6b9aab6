# SPDX-License-Identifier: Apache-2.0
"""Guest access on guests that are QEMU processes with kernels, terminals, shells and SSH servers of their own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "libraries"))
