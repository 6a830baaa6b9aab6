# SPDX-License-Identifier: Apache-2.0
"""Whether guests run on the processor itself (KVM) or are emulated by software: found out, not guessed."""

from __future__ import annotations

import functools
import os
import platform
import subprocess
from pathlib import Path

from .packages import cache_folder

PROGRAM = "qemu-system-x86_64"
_KVM = "/dev/kvm"
_KERNEL_ENDS_SECONDS = 8.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@functools.cache
def accelerator(kernel: Path) -> str:
    """``kvm`` where this kernel gets through its start with it, else ``tcg``. A device that opens may run no guest.

    Tried once for each start of this machine, and remembered in the cache.
    """
    if platform.machine() != "x86_64" or not os.access(_KVM, os.R_OK | os.W_OK):
        return "tcg"
    known = cache_folder() / f"accelerator-{_BOOT_ID.read_text(encoding='ascii').strip()}"
    if not known.exists():
        known.write_text("kvm" if _kernel_ends(kernel) else "tcg", encoding="ascii")
    return known.read_text(encoding="ascii")


def accelerator_text(kernel: Path) -> str:
    """The same in words, for a banner."""
    return "KVM" if accelerator(kernel) == "kvm" else "software emulation (KVM does not work here)"


def _kernel_ends(kernel: Path) -> bool:
    """Whether a kernel without a root file system comes to its end, which switches the machine off."""
    words = [PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-m", "192", "-accel", "kvm",
             "-cpu", "host", "-no-reboot", "-kernel", str(kernel), "-append", "quiet panic=-1"]  # fmt: skip
    try:
        subprocess.run(words, timeout=_KERNEL_ENDS_SECONDS, capture_output=True, check=True)
    except (subprocess.SubprocessError, OSError):
        return False
    return True
