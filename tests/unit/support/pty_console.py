# SPDX-License-Identifier: Apache-2.0
"""A serial line with a login program and a real shell behind it: the guest's end is a pseudo-terminal."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from livenad.guest.streams import StreamClosed

USER = "tester"
PASSWORD = "s3cret-Pa55"

# One login and its shell; opening the line makes it this session's terminal, as a real getty does.
GETTY = r"""
exec <"$1" >"$1" 2>&1
trap '' INT QUIT TSTP
while :; do
  stty sane echo
  printf '\r\nTest Linux (ttyS0)\r\n\r\nvm-under-test login: '
  IFS= read -r user || exit 0
  [ -n "$user" ] || continue
  printf 'Password: '
  stty -echo
  IFS= read -r password || exit 0
  stty echo
  printf '\n'
  [ "$user" = "$2" ] && [ "$password" = "$3" ] && break
  sleep 0.1
  printf '\r\nLogin incorrect\r\n'
done
printf 'Welcome! `$ ` and login: are here on purpose.\r\nLast login: Sun Nov 22 16:47:01 on ttyS0\r\n'
printf 'Last failed login: Sun Nov 22 16:47:12 UTC 2026 on ttyS0\r\n'
trap - INT QUIT TSTP
cd /
HISTFILE= PS1="$4" exec $5
"""

BASH = "bash --noprofile --norc -i"
DASH = "dash -i"


def _heed_keys() -> None:
    """A program in the background ignores the signals of Ctrl-C and Ctrl-\\; a guest must not inherit that."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


class PtyGuest:
    """A guest: one tty, on which a login program gives a shell; attachments come and go, the shell stays."""

    def __init__(self, *, shell: str = BASH, prompt: str = "tester@vm:~$ ") -> None:
        self.master, self._slave = pty.openpty()
        self._command = ["bash", "-c", GETTY, "getty", os.ttyname(self._slave), USER, PASSWORD, prompt, shell]
        self._dead = False
        # A login program that came while the line was taken away would open the next guest's, which has the same name.
        self._coming = threading.Lock()
        self._sessions: list[int] = []
        self._getty = self._spawn()
        threading.Thread(target=self._respawn, daemon=True).start()
        self.attachments = 0
        self.typed = bytearray()
        self.chunk = 4096
        self.noise: Callable[[bytes], bytes] = bytes
        self.current: PtyStream | None = None

    def attach(self, timeout: float = 0) -> PtyStream:
        """A new attachment; the older one ends, as on a VMI. What was printed in between is lost."""
        if self.current is not None:
            self.current.end()
        while select.select([self.master], [], [], 0)[0]:
            os.read(self.master, 65536)
        self.attachments += 1
        self.current = PtyStream(self)
        return self.current

    def leave(self, keys: str, seconds: float = 0.3) -> None:
        """A user types and goes away, leaving the line in whatever state that makes."""
        stream = self.attach()
        stream.send(keys.encode())
        stream.drain(seconds)
        stream.end()
        self.typed.clear()

    def kill(self) -> None:
        with self._coming:
            self._dead = True
        while processes := self.processes():
            for process in processes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        self._getty.wait()
        os.close(self.master)
        os.close(self._slave)

    def processes(self) -> list[int]:
        """All that were started on this line and still run: a shell's jobs are process groups of their own."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                state, _, _, session = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[:4]
                if int(session) in self._sessions and state != "Z":
                    found.append(int(stat.parent.name))
        return found

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "TERM": "vt220"}
        getty = subprocess.Popen(
            self._command,
            start_new_session=True,
            env=environment,
            preexec_fn=_heed_keys,  # noqa: PLW1509 - it calls nothing that may wait for a lock
        )
        self._sessions.append(getty.pid)
        return getty

    def _respawn(self) -> None:
        """Init's part: a new login prompt when the shell has ended."""
        while True:
            self._getty.wait()
            with self._coming:
                if self._dead:
                    return
                self._getty = self._spawn()


class PtyStream:
    """An attachment to the guest's line."""

    def __init__(self, guest: PtyGuest) -> None:
        self._guest = guest
        self._ended = threading.Event()

    @property
    def closed(self) -> bool:
        return self._ended.is_set()

    def send(self, data: bytes) -> None:
        if self.closed:
            raise StreamClosed("ended")
        self._guest.typed += data
        os.write(self._guest.master, data)

    def receive(self, timeout: float) -> bytes:
        left = timeout
        while not self.closed:
            if select.select([self._guest.master], [], [], min(left, 0.05))[0]:
                try:
                    return self._guest.noise(os.read(self._guest.master, self._guest.chunk))
                except OSError:
                    return b""
            left -= 0.05
            if left <= 0:
                raise TimeoutError
        return b""

    def drain(self, seconds: float) -> bytes:
        """What comes until the line has been quiet for that long, or four times as long."""
        data = b""
        end = time.monotonic() + 4 * seconds
        with contextlib.suppress(TimeoutError):
            while time.monotonic() < end:
                data += self.receive(seconds)
        return data

    def silence(self) -> str:
        return "nothing came for a while"

    def end(self) -> None:
        self._ended.set()

    def close(self) -> None:
        self._ended.set()
