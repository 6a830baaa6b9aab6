# SPDX-License-Identifier: Apache-2.0
"""The program that asks and answers inside guests what ``ping`` and a shell cannot; its text is sent to them.

It needs Python 3.6 and no package: it has no assignment expressions, and its annotations are not sent. It answers by
UDP, takes TCP transfers, echoes lines of connections that stay open, and asks others for the same. Its lines are those
of the probe script: ``A <number> <asked>`` a request, ``S <number> <asked> <known> <status>`` an outcome; and ``H
<guest> <number> <asked> <heard> <MAC>`` a broadcast or multicast frame of another guest and the interface that it came
in by. Times are seconds of the guest's uptime.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

PORT = 36110
"""UDP and TCP port at which a guest answers; broadcast and multicast go to the next one."""

MEGABYTES = 2
"""Size of a transfer."""

MAGIC = b"live-nad "
IDLE_SECONDS = 600.0
TRANSFER_SECONDS = 4.0
ANSWER_SECONDS = 1.0
_IP_UNICAST_IF, _IPV6_UNICAST_IF, _IP_PKTINFO = 50, 76, 8
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


def mtu_of(device: str) -> int:
    """The MTU of an interface; 1500 where it is not known."""
    with contextlib.suppress(OSError, ValueError), open(f"/sys/class/net/{device}/mtu", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read())
    return 1500


# --- answering -------------------------------------------------------------------------------------------------------


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
                    _do_not_fragment(one)
                one.bind(("", port))
                if kind == socket.SOCK_STREAM:
                    one.listen(64)
    except OSError:
        for one in found:
            one.close()
        raise
    return found


def _do_not_fragment(one: socket.socket) -> None:
    if one.family == socket.AF_INET6:
        one.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PROBE)
    else:
        one.setsockopt(socket.IPPROTO_IP, _MTU_DISCOVER, _PROBE)


def _where_it_came_in(one: socket.socket) -> tuple[int, int, int]:
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
        level, option, kind = _where_it_came_in(one)
        one.setsockopt(level, option, 1)
        while True:
            data, more, _, sender = one.recvmsg(65535, 256)
            if data.startswith(MAGIC):
                self.last = time.monotonic()
                # From the address that was asked, whatever the routes say: index 0 leaves the way to them.
                asked = [found for at, type_, found in more if (at, type_) == (level, kind)][:1]
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


# --- asking ----------------------------------------------------------------------------------------------------------


class Asking:
    """The requests of one guest to its targets, each kind to each target in a thread of its own.

    ``order`` has: ``probes``, each of number, kind, MAC and address of the NIC, address of the target, pause in seconds
    and how many answers suffice (0: never); ``guest``, its name; ``token`` of the window; ``listens``, whether it tells
    what frames it hears; ``seconds``, how long it asks; ``one_by_one``, whether at most one request and one
    transfer are open to a target. It also ends when the file ``stop`` comes or the file ``kept`` goes.
    """

    def __init__(self, order: dict[str, Any], stop: str, kept: str) -> None:
        self.order = order
        self.mark = MAGIC + order["token"].encode() + b" "
        self.stop, self.kept = stop, kept
        self.until = float(uptime()) + order["seconds"]
        self.turns: dict[str, threading.Lock] = {}

    def run(self) -> None:
        """Ask until all that was wanted is answered, or the time is over."""
        self._require_answers()
        if self.order["listens"]:
            for family in (socket.AF_INET, socket.AF_INET6):
                threading.Thread(target=self._hear, args=(family,), daemon=True).start()
        kinds: dict[str, Callable[..., bool]] = {
            "UDP": self._small,
            "full-size UDP": self._full,
            "transfer": self._transfer,
            "broadcast": self._broadcast,
            "multicast": self._multicast,
            "neighbour": self._resolve,
        }
        threads = [
            threading.Thread(target=self._repeat, args=(kinds[probe[1]], probe), daemon=True)
            for probe in self.order["probes"]
        ]
        for thread in threads:
            thread.start()
        while self._goes_on() and (self.order["listens"] or any(thread.is_alive() for thread in threads)):
            time.sleep(0.02)

    def _require_answers(self) -> None:
        """The process that has the port must be one of ours: otherwise silence of this guest would be its own."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.settimeout(ANSWER_SECONDS)
            for _ in range(3):
                with contextlib.suppress(OSError):
                    one.sendto(self.mark, ("127.0.0.1", PORT))
                    if one.recvfrom(2048)[0] == self.mark:
                        return
        say("M", "UDP port", PORT, "of guest", self.order["guest"], "is taken by another program")

    def _goes_on(self) -> bool:
        return float(uptime()) < self.until and not os.path.exists(self.stop) and os.path.exists(self.kept)  # noqa: PTH110

    def _repeat(self, ask: Callable[..., bool], probe: tuple[Any, ...]) -> None:
        number, kind, mac, source, target, pause, needed = probe
        device, answers = device_of(mac), 0
        # A transfer that hangs must not keep others from being asked for.
        together = kind == "transfer" or not self.order["one_by_one"]
        turn = threading.Lock() if together else self.turns.setdefault(target, threading.Lock())
        while self._goes_on():
            with turn:
                asked, began = uptime(), time.monotonic()
                say("A", number, asked)
                try:
                    fine = ask(number, asked, device, source, target)
                except OSError:
                    fine = False
            if ask not in (self._broadcast, self._multicast):
                say("S", number, asked, uptime(), 0 if fine else 1)
            answers += fine
            if needed and answers >= needed:
                return
            time.sleep(max(0.0, began + pause - time.monotonic()))

    def _datagram(self, number: int, asked: str, source: str, target: str, size: int) -> bool:
        """Whether a datagram of a size comes back whole."""
        family = family_of(target)
        sent = self.mark + f"{number} {asked} ".encode()
        sent += b"." * (size - len(sent))
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            _do_not_fragment(one)
            one.settimeout(ANSWER_SECONDS)
            one.bind((source, 0))
            one.connect((target, PORT))
            one.send(sent)
            return bool(one.recv(65535) == sent)

    def _small(self, number: int, asked: str, _device: str, source: str, target: str) -> bool:
        return self._datagram(number, asked, source, target, 64)

    def _full(self, number: int, asked: str, device: str, source: str, target: str) -> bool:
        headers = 48 if ":" in target else 28
        return self._datagram(number, asked, source, target, mtu_of(device) - headers)

    def _transfer(self, _number: int, _asked: str, _device: str, source: str, target: str) -> bool:
        data, deadline = bytes(65536), time.monotonic() + TRANSFER_SECONDS
        with socket.socket(family_of(target), socket.SOCK_STREAM) as one:
            one.settimeout(TRANSFER_SECONDS)
            one.bind((source, 0))
            one.connect((target, PORT))
            left = MEGABYTES * 1000000
            one.sendall(b"PUT %d\n" % left)
            while left > 0:
                one.settimeout(max(0.01, deadline - time.monotonic()))
                left -= one.send(data[:left])
            one.settimeout(max(0.01, deadline - time.monotonic()))
            return one.recv(16) == b"OK\n"

    def _broadcast(self, number: int, asked: str, device: str, source: str, _target: str) -> bool:
        return self._shout(number, asked, device, source, "255.255.255.255")

    def _multicast(self, number: int, asked: str, device: str, source: str, _target: str) -> bool:
        # To all nodes: no switch may keep it from a port, and every guest is a member.
        return self._shout(number, asked, device, source, "ff02::1" if ":" in source else "224.0.0.1")

    def _shout(self, number: int, asked: str, device: str, source: str, everybody: str) -> bool:
        """Send a frame to everybody; who hears it tells so."""
        index, family = socket.if_nametoindex(device), family_of(source)
        with socket.socket(family, socket.SOCK_DGRAM) as one:
            one.bind((source, 0))
            if family == socket.AF_INET:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                one.setsockopt(socket.IPPROTO_IP, _IP_UNICAST_IF, socket.htonl(index))
                one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
            else:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            guest = self.order["guest"]
            one.sendto(self.mark + f"{guest} {number} {asked}".encode(), (everybody, PORT + 1))
        return True

    def _hear(self, family: socket.AddressFamily) -> None:
        """Tell of each frame to everybody that comes in, and by which interface."""
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as one:
            level, option, kind = _where_it_came_in(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(level, option, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(("", PORT + 1))
            while True:
                data, more, _, _ = one.recvmsg(2048, 256)
                heard = uptime()
                info = [found for at, type_, found in more if (at, type_) == (level, kind)]
                if data.startswith(self.mark) and info:
                    index = info[0][:4] if family == socket.AF_INET else info[0][16:20]
                    device = socket.if_indextoname(int.from_bytes(index, sys.byteorder))
                    say("H", data[len(self.mark) :].decode(), heard, _mac_of(device))

    def _resolve(self, _number: int, _asked: str, device: str, _source: str, target: str) -> bool:
        """Whether the target tells its MAC, once what was known of it is forgotten."""
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        ip = [*root, "ip", "-6" if ":" in target else "-4", "neigh"]
        _silently([*ip, "del", target, "dev", device])
        with socket.socket(family_of(target), socket.SOCK_DGRAM) as one:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
            one.sendto(b".", (target, PORT))
        for _ in range(8):
            time.sleep(0.1)
            if b" lladdr " in _silently([*ip, "show", "to", target, "dev", device]):
                return True
        return False


def _silently(argv: list[str]) -> bytes:
    null = subprocess.DEVNULL
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=null, stdin=null, check=False).stdout


def _mac_of(device: str) -> str:
    with contextlib.suppress(OSError), open(f"/sys/class/net/{device}/address", encoding="ascii") as file:  # noqa: PTH123
        return file.read().strip()
    return "-"
