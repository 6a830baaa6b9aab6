# SPDX-License-Identifier: Apache-2.0
"""The part of the program in guests that asks other guests; see `guest_program`.

Its lines are those of the probe script: ``A <number> <asked>`` a request, ``S <number> <asked> <known> <status>`` an
outcome; and ``H <guest> <number> <asked> <heard> <MAC>`` a broadcast or multicast frame of another guest and the
interface that it came in by. Times are seconds of the guest's uptime.
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

from livenad.reachability.guest_program import (
    MAGIC,
    PORT,
    device_of,
    do_not_fragment,
    family_of,
    mac_of,
    payload_of,
    say,
    uptime,
    where_it_came_in,
)

MEGABYTES = 2
"""Size of a transfer."""

TRANSFER_SECONDS = 4.0
STREAM_SECONDS, STREAM_BYTES, STREAM_LAG = 0.2, 250000, 0.15
ANSWER_SECONDS = 1.0
SLOW_PAUSE = 0.3
ARP_TABLE = "/proc/net/arp"
_IP_UNICAST_IF = 50


class Asking:
    """The requests of one guest to its targets, each kind to each target in a thread of its own.

    ``order`` has: ``probes``, each of number, kind, MAC and address of the NIC, address of the target, pause in seconds
    and how many answers suffice (0: never); ``guest``, its name; ``token`` of the window; ``listens``, whether it tells
    what frames it hears; ``seconds``, how long it asks; ``one_by_one``, whether at most one request and one
    transfer or stream are open to a target. It also ends when the file ``stop`` comes or the file ``kept`` goes.
    A ``slow`` guest asks less often.
    """

    def __init__(self, order: dict[str, Any], stop: str, kept: str, slow: bool = False) -> None:
        self.order = order
        self.mark = MAGIC + order["token"].encode() + b" "
        self.stop, self.kept = stop, kept
        self.until = float(uptime()) + order["seconds"]
        self.turns: dict[str, threading.Lock] = {}
        self.root = _Root()
        self.slow = slow
        self.whole = ["-M", "do"]

    def run(self) -> None:
        """Ask until all that was wanted is answered, or the time is over."""
        self._require_answers()
        if self.order["listens"]:
            for family in (socket.AF_INET, socket.AF_INET6):
                threading.Thread(target=self._hear, args=(family,), daemon=True).start()
        kinds: dict[str, Callable[..., bool]] = {
            "UDP": self._small,
            "full-size UDP": self._full,
            "full-size ICMP": self._full_ping,
            "transfer": self._transfer,
            "stream": self._stream,
            "broadcast": self._call_all if self.order["one_by_one"] else self._broadcast,
            "multicast": self._call_group if self.order["one_by_one"] else self._multicast,
            "neighbour": self._resolve,
        }
        threads = [
            threading.Thread(target=self._repeat, args=(kinds[probe[1]], probe), daemon=True)
            for probe in self.order["probes"]
        ]
        for thread in threads:
            thread.start()
        while self._goes_on() and (self.order["listens"] or any(thread.is_alive() for thread in threads)):
            time.sleep(0.1 if self.order["listens"] else 0.02)

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
        pause = max(pause, SLOW_PAUSE) if self.slow else pause
        turn = threading.Lock()
        if self.order["one_by_one"]:
            # A transfer that hangs must not keep small requests from being sent.
            turn = self.turns.setdefault(target + " bulk" * (kind in ("transfer", "stream")), turn)
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
            do_not_fragment(one)
            one.settimeout(ANSWER_SECONDS)
            one.bind((source, 0))
            one.connect((target, PORT))
            one.send(sent)
            return bool(one.recv(65535) == sent)

    def _small(self, number: int, asked: str, _device: str, source: str, target: str) -> bool:
        return self._datagram(number, asked, source, target, 64)

    def _full(self, number: int, asked: str, device: str, source: str, target: str) -> bool:
        return self._datagram(number, asked, source, target, payload_of(device, target))

    def _full_ping(self, _number: int, _asked: str, device: str, _source: str, target: str) -> bool:
        through = ["-I", device] if device else []
        size, null = str(payload_of(device, target)), subprocess.DEVNULL
        ping = ["ping", *through, "-c", "1", "-W", "1", *self.whole, "-s", size, target]
        done = subprocess.run(ping, stdin=null, stdout=null, stderr=subprocess.PIPE, check=False)
        if done.returncode and b"invalid option -- 'M'" in done.stderr:
            # BusyBox; its frames may not be fragmented on their way either.
            self.whole = []
        return done.returncode == 0

    def _stream(self, number: int, asked: str, device: str, source: str, target: str) -> bool:
        """Whether half of a stream of full datagrams at 10 Mbit/s comes back at that pace, and hardly any twice."""
        size, sent, heard = payload_of(device, target), 0, 0
        count = max(2, STREAM_BYTES // size)
        back: set[bytes] = set()
        with socket.socket(family_of(target), socket.SOCK_DGRAM) as one:
            do_not_fragment(one)
            one.bind((source, 0))
            one.connect((target, PORT))
            began = time.monotonic()
            while time.monotonic() < began + STREAM_SECONDS + STREAM_LAG and 2 * len(back) < count:
                while sent < count and time.monotonic() >= began + STREAM_SECONDS * sent / count:
                    head = self.mark + f"{number} {asked} {sent} ".encode()
                    one.send(head + b"." * (size - len(head)))
                    sent += 1
                one.settimeout(0.002 if sent < count else 0.05)
                with contextlib.suppress(socket.timeout):
                    back.add(one.recv(65535)[: len(self.mark) + 40].rstrip(b"."))
                    heard += 1
        return 2 * len(back) >= count and 2 * heard < 3 * len(back)

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

    def _call_all(self, number: int, asked: str, device: str, source: str, target: str) -> bool:
        return self._answers_call(f"{number} {asked} ", device, source, target, "255.255.255.255")

    def _call_group(self, number: int, asked: str, device: str, source: str, target: str) -> bool:
        everybody = "ff02::1" if ":" in source else "224.0.0.1"
        return self._answers_call(f"{number} {asked} ", device, source, target, everybody)

    def _answers_call(self, text: str, device: str, source: str, target: str, everybody: str) -> bool:
        """Whether the target answers a datagram to everybody on its network."""
        sent, end = self.mark + text.encode(), time.monotonic() + ANSWER_SECONDS
        with self._to_everybody(device, source) as one:
            one.sendto(sent, (everybody, PORT))
            while True:
                one.settimeout(max(0.01, end - time.monotonic()))
                data, sender = one.recvfrom(2048)
                if data == sent and sender[0] == target:
                    return True

    def _broadcast(self, number: int, asked: str, device: str, source: str, _target: str) -> bool:
        return self._shout(number, asked, device, source, "255.255.255.255")

    def _multicast(self, number: int, asked: str, device: str, source: str, _target: str) -> bool:
        # To all nodes: no switch may keep it from a port, and every guest is a member.
        return self._shout(number, asked, device, source, "ff02::1" if ":" in source else "224.0.0.1")

    def _shout(self, number: int, asked: str, device: str, source: str, everybody: str) -> bool:
        """Send a frame to everybody; who hears it tells so."""
        with self._to_everybody(device, source) as one:
            guest = self.order["guest"]
            one.sendto(self.mark + f"{guest} {number} {asked}".encode(), (everybody, PORT + 1))
        return True

    def _to_everybody(self, device: str, source: str) -> socket.socket:
        """A socket that sends frames to everybody through a NIC."""
        index, family = socket.if_nametoindex(device), family_of(source)
        one = socket.socket(family, socket.SOCK_DGRAM)
        try:
            one.bind((source, 0))
            if family == socket.AF_INET:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                one.setsockopt(socket.IPPROTO_IP, _IP_UNICAST_IF, socket.htonl(index))
                one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
            else:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        except BaseException:
            one.close()
            raise
        return one

    def _hear(self, family: socket.AddressFamily) -> None:
        """Tell of each frame to everybody that comes in, and by which interface."""
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as one:
            level, option, kind = where_it_came_in(one)
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
                    say("H", data[len(self.mark) :].decode(), heard, mac_of(device))

    def _resolve(self, _number: int, _asked: str, device: str, _source: str, target: str) -> bool:
        """Whether the target, or the gateway to it, tells its MAC, once what was known of it is forgotten."""
        family = "-6" if ":" in target else "-4"
        way = _silently(["ip", family, "route", "get", target, "oif", device]).decode().split()
        hop = way[way.index("via") + 1] if "via" in way else target
        ip = f"ip {family} neigh"
        # BusyBox has no del.
        self.root.run(f"{ip} del {hop} dev {device} || {ip} flush to {hop} dev {device}")
        with socket.socket(family_of(target), socket.SOCK_DGRAM) as one:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
            one.sendto(b".", (target, PORT))
        for _ in range(16):
            time.sleep(0.05)
            if _mac_is_known(hop, device):
                return True
        return False


class _Root:
    """A shell of root's, which stays: sudo for each command would take all the time of a slow guest."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shell: Any = None

    def run(self, command: str) -> None:
        """Run a command, and wait for its end; without rights nothing is run."""
        with self._lock, contextlib.suppress(OSError):
            if self._shell is None or self._shell.poll() is not None:
                pipe = subprocess.PIPE
                argv = ["sh"] if os.geteuid() == 0 else ["sudo", "-n", "sh"]
                self._shell = subprocess.Popen(
                    argv, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=_environment()
                )
            self._shell.stdin.write(f"{{ {command}; }} >&2; echo\n".encode())
            self._shell.stdin.flush()
            self._shell.stdout.readline()


def _mac_is_known(address: str, device: str) -> bool:
    """Whether the kernel knows the MAC of a neighbor. Of IPv4 a file tells it, which costs a guest less."""
    if ":" in address:
        return b" lladdr " in _silently(["ip", "-6", "neigh", "show", "to", address, "dev", device])
    with open(ARP_TABLE, encoding="ascii") as file:  # noqa: PTH123
        rows = [line.split() for line in file]
    # Flag 2: the entry is complete.
    return any((row[0], row[-1]) == (address, device) and int(row[2], 16) & 2 for row in rows[1:])


def _silently(argv: list[str]) -> bytes:
    null = subprocess.DEVNULL
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=null, stdin=null, check=False, env=_environment())
    return done.stdout


def _environment() -> dict[str, str]:
    """Ours, with the folders of ``ip`` in its path: an SSH server may leave them out."""
    return dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
