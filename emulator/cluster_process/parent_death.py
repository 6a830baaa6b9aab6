# SPDX-License-Identifier: Apache-2.0
"""The parent-death signal: when the parent process dies, the kernel ends this one.

Our own processes import it. Run as a program, it sets the signal and becomes the command that it is given:
``parent_death.py PARENT_PID SIGNAL COMMAND...``. It imports little, because it delays every command.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int, number: int) -> None:
    """Asks the kernel to send signal ``number`` to this process when ``parent`` dies; exits if it is already dead."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit(128 + number)


def main(arguments: list[str]) -> None:
    parent, number, *command = arguments
    end_with_parent(int(parent), int(number))
    try:
        os.execvp(command[0], command)  # noqa: S606 - a command of the user's, without a shell
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    main(sys.argv[1:])
