# SPDX-License-Identifier: Apache-2.0
"""The process that all guests are forked from. It imports once what they need.

The data plane starts it as ``python -m emulator.guest.forkserver FD PARENT`` with one end of a channel. It has a single
thread, and forks one guest for each message that arrives.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys

from emulator.dataplane.syscalls import die_with_parent
from emulator.guest import channel, launch, sshd


def main() -> None:
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        return
    end = socket.socket(fileno=descriptor)
    # Ended launchers are not waited for: they report to the data plane themselves.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Everything that is imported and set up by now is shared between all guests.
    asyncio.run(sshd.warm_up())
    gc.collect()
    gc.freeze()
    channel.send(end, {"event": "ready"})
    while received := channel.receive(end):
        _, descriptors = received
        if not os.fork():
            end.close()
            launch.run(socket.socket(fileno=descriptors[0]))
        for passed in descriptors:
            os.close(passed)


if __name__ == "__main__":
    main()
