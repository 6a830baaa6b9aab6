# SPDX-License-Identifier: Apache-2.0
"""What this machine lacks for guests in QEMU, in one line."""

from __future__ import annotations

import platform
import re
import shutil
from pathlib import Path

from .accelerator import PROGRAM

_LEAST_MEMORY = 2048
"""MiB for the three guests of a suite of P0, one of them twice while it migrates."""
_MEMORY = Path("/proc/meminfo")
_PROGRAMS = {PROGRAM: "qemu-system-x86", "apt-get": "apt", "dpkg-deb": "dpkg"}


def missing() -> str:
    """ "" where nothing is missing. Guests' own packages are looked for when their image is made."""
    if platform.machine() != "x86_64":
        return f"guests in QEMU are made for x86_64, this machine is {platform.machine()}"
    lacking = [package for program, package in _PROGRAMS.items() if not shutil.which(program)]
    if lacking:
        return f"missing is {', '.join(lacking)}: apt-get install {' '.join(lacking)}"
    free = re.search(r"^MemAvailable: *(\d+) kB", _MEMORY.read_text(encoding="ascii"), re.MULTILINE)
    if free and int(free[1]) < _LEAST_MEMORY << 10:
        return f"{int(free[1]) >> 10} MiB of memory are available, guests in QEMU need {_LEAST_MEMORY}"
    return ""
