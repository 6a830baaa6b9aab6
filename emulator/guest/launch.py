# SPDX-License-Identifier: Apache-2.0
"""From a fork of the fork server to a guest's first process: namespaces, then the fork that becomes process 1.

The forking process stays as the guest's launcher: it waits for the guest's end and reports it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

from emulator.dataplane.syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    die_with_parent,
    map_only_root,
    unshare,
)
from emulator.guest import channel, init

_SEPARATE = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID


def run(end: socket.socket) -> NoReturn:
    """Launches one guest and ends the process with it."""
    status = 1
    try:
        parent = os.getppid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        own_clock = _leave_the_host()
        die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        network = os.open("/proc/self/ns/net", os.O_RDONLY)
        channel.send(end, {"event": "namespaces"}, (network,))
        os.close(network)
        guest = os.fork()
        if not guest:
            init.main(end, own_clock=own_clock)
        handle = os.pidfd_open(guest)
        channel.send(end, {"event": "process"}, (handle,))
        _, wait_status = os.waitpid(guest, 0)
        # A data plane that has closed the channel no longer wants this guest.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            channel.send(end, {"event": "ended", "power": _power(wait_status)})
        status = 0
    except BaseException:
        traceback.print_exc(file=sys.stderr)
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.flush()
        os._exit(status)


def _leave_the_host() -> bool:
    """Separates this process and its children from the host; True if the guest has its own uptime."""
    unshare(_SEPARATE)
    map_only_root(0, 0)
    try:
        unshare(CLONE_NEWTIME)
        uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
        whole = int(uptime)
        offset = f"boottime -{whole + 1} {int((whole + 1 - uptime) * 1e9)}"
        Path("/proc/self/timens_offsets").write_text(offset, encoding="ascii")
    except OSError:
        return False
    return True


def _power(wait_status: int) -> str:
    """The meaning of process 1's end: ``off``, ``reboot`` or ``killed``.

    The kernel turns reboot(2) in a guest into SIGHUP (restart) or SIGINT (power-off) for its process 1.
    """
    if os.WIFEXITED(wait_status):
        return {init.EXIT_OFF: "off", init.EXIT_REBOOT: "reboot"}.get(os.WEXITSTATUS(wait_status), "killed")
    return {signal.SIGHUP: "reboot", signal.SIGINT: "off"}.get(signal.Signals(os.WTERMSIG(wait_status)), "killed")
