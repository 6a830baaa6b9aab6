# SPDX-License-Identifier: Apache-2.0
"""The program that asks and answers inside guests what ``ping`` and a shell cannot; its text is sent to them.

It needs Python 3.6 and no package: it has no assignment expressions, and its annotations are not sent. This part
answers by UDP, takes TCP transfers and echoes lines of connections that stay open. `guest_requests` asks others for
the same, `guest_connections` keeps connections open. Times are seconds of the guest's uptime.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

PORT = 36110
"""UDP and TCP port at which a guest answers; broadcast and multicast go to the next one."""

MAGIC = b"live-nad "
IDLE_SECONDS = 600.0
_IP_PKTINFO = 8
_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _PROBE = 10, 23, 3

_lock = threading.Lock()


def uptime() -> str:
    """The guest's uptime in seconds, as its kernel writes it."""
    with open("/proc/uptime", encoding="ascii") as file:  # noqa: PTH123 - quicker, and it is asked often
        return file.read().split()[0]


def say(*words: object) -> None:
    """Print a line at once."""
    with _lock:
        print(*words, flush=True)


def family_of(address: str) -> socket.AddressFamily:
    """The family of an address without a prefix."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def device_of(mac: str) -> str:
    """The interface with a MAC; "" for none."""
    for name in os.listdir("/sys/class/net"):  # noqa: PTH208 - see above
        with contextlib.suppress(OSError), open(f"/sys/class/net/{name}/address", encoding="ascii") as file:  # noqa: PTH123
            if file.read().strip() == mac:
                return name
    return ""


def mac_of(device: str) -> str:
    """The MAC of an interface; "-" where it is not known."""
    with contextlib.suppress(OSError), open(f"/sys/class/net/{device}/address", encoding="ascii") as file:  # noqa: PTH123
        return file.read().strip()
    return "-"


def mtu_of(device: str) -> int:
    """The MTU of an interface; 1500 where it is not known."""
    with contextlib.suppress(OSError, ValueError), open(f"/sys/class/net/{device}/mtu", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read())
    return 1500


def payload_of(device: str, target: str) -> int:
    """Bytes of a datagram or a ping to an address that fill a frame of an interface."""
    return mtu_of(device) - (48 if ":" in target else 28)


def answer(idle: float = IDLE_SECONDS, port: int = PORT) -> bool:
    """Answer in a process of its own, until no guest has asked for a while. Whether it is this one that answers."""
    try:
        sockets = _listening(port)
    except OSError:
        return False  # one that was started before does
    if os.fork():
        for one in sockets:
            one.close()
        return True
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.chdir("/")
        _Answering(sockets).until_idle(idle)
    finally:
        os._exit(0)


def _listening(port: int) -> list[socket.socket]:
    found: list[socket.socket] = []
    try:
        for family in (socket.AF_INET, socket.AF_INET6):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                try:
                    one = socket.socket(family, kind)
                except OSError:
                    continue  # no IPv6 here
                found.append(one)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                if kind == socket.SOCK_STREAM:
                    # Connections of the one before that are still closing.
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                else:
                    do_not_fragment(one)
                one.bind(("", port))
                if kind == socket.SOCK_STREAM:
                    one.listen(64)
    except OSError:
        for one in found:
            one.close()
        raise
    return found


def do_not_fragment(one: socket.socket) -> None:
    """Datagrams of a socket are sent whole or not at all."""
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PROBE)
    else:
        one.setsockopt(socket.IPPROTO_IP, _MTU_DISCOVER, _PROBE)


def where_it_came_in(one: socket.socket) -> tuple[int, int, int]:
    """Level and option to be told of the interface and address of each datagram, and the type of what tells it."""
    if one.family == socket.AF_INET6:
        return socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, socket.IPV6_PKTINFO
    return socket.IPPROTO_IP, _IP_PKTINFO, _IP_PKTINFO


class _Answering:
    def __init__(self, sockets: list[socket.socket]) -> None:
        self.last = time.monotonic()
        for one in sockets:
            serve = self._datagrams if one.type == socket.SOCK_DGRAM else self._calls
            threading.Thread(target=serve, args=(one,), daemon=True).start()

    def until_idle(self, idle: float) -> None:
        while time.monotonic() - self.last < idle:
            time.sleep(max(1.0, idle - (time.monotonic() - self.last)))

    def _datagrams(self, one: socket.socket) -> None:
        """Send back what has our mark, whole and in one frame."""
        level, option, kind = where_it_came_in(one)
        one.setsockopt(level, option, 1)
        while True:
            data, more, _, sender = one.recvmsg(65535, 256)
            if data.startswith(MAGIC):
                self.last = time.monotonic()
                # From the address that was asked, whatever the routes say: index 0 leaves the way to them. No answer
                # can come from a group (ff00::/8).
                asked = [found for at, type_, found in more if (at, type_) == (level, kind)][:1]
                if kind == socket.IPV6_PKTINFO:
                    asked = [found for found in asked if found[0] != 255]
                nowhere = bytes(4)
                from_it = [
                    (
                        level,
                        kind,
                        found[:16] + nowhere if kind == socket.IPV6_PKTINFO else nowhere + found[4:8] + nowhere,
                    )
                    for found in asked
                ]
                with contextlib.suppress(OSError):
                    one.sendmsg([data], from_it, 0, sender)

    def _calls(self, one: socket.socket) -> None:
        while True:
            with contextlib.suppress(OSError):
                call, _ = one.accept()
                threading.Thread(target=self._call, args=(call,), daemon=True).start()

    def _call(self, call: socket.socket) -> None:
        """``PUT <bytes>`` and that number of bytes, answered by ``OK``; or ``ECHO``: what follows is sent back."""
        with contextlib.suppress(OSError, ValueError), call, call.makefile("rb") as lines:
            words = lines.readline(100).split()
            if words[:1] == [b"PUT"]:
                left = int(words[1])
                while left > 0:
                    data = lines.read(min(left, 65536))
                    if not data:
                        break
                    left -= len(data)
                    self.last = time.monotonic()
                call.sendall(b"OK\n" if left == 0 else b"SHORT\n")
            elif words[:1] == [b"ECHO"]:
                for line in lines:
                    self.last = time.monotonic()
                    call.sendall(line)
