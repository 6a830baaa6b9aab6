# SPDX-License-Identifier: Apache-2.0
"""Plays random sequences on embedded clusters: ``python -m tests.emulator.fuzz --help``."""

from __future__ import annotations

import faulthandler
import signal
import sys

if __name__ == "__main__":
    # Before anything can start a thread: the sandbox is entered by the process as a whole.
    from emulator.dataplane.userns import enter

    faulthandler.register(signal.SIGUSR1)
    enter()
    from .command import main

    sys.exit(main(sys.argv[1:]))
