"""A small ping for guests whose host has none, with the options and the output of iputils that tests rely on.

It is run by the bare interpreter (``-I -S``), so it imports only the standard library.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import select
import signal
import socket
import struct
import sys
import time
from types import FrameType

_SO_BINDTODEVICE = 25
_IP_RECVTTL, _IPV6_RECVHOPLIMIT, _IPV6_HOPLIMIT = 12, 51, 52
_HEADERS = 28
_TIMESTAMP = struct.Struct("=d")


class _Interrupted(Exception):
    pass


class _Ping:
    def __init__(self, options: argparse.Namespace, address: str, family: socket.AddressFamily) -> None:
        self._options = options
        self._address = address
        self._v6 = family == socket.AF_INET6
        protocol = socket.IPPROTO_ICMPV6 if self._v6 else socket.IPPROTO_ICMP
        self._socket = socket.socket(family, socket.SOCK_DGRAM, protocol)
        if options.I:
            self._bind(options.I)
        if self._v6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVHOPLIMIT, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR: learn of unreachable hosts
        self._sent = 0
        self._errors = 0
        self._began = time.monotonic()
        self._times: list[float] = []
        self._seen: set[int] = set()

    def _bind(self, where: str) -> None:
        try:
            ipaddress.ip_address(where)
        except ValueError:
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_BINDTODEVICE, where.encode() + b"\0")
        else:
            self._socket.bind((where, 0))

    def _own_address(self) -> str:
        with socket.socket(self._socket.family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.connect((self._address, 1))
            return str(probe.getsockname()[0])
        return self._address

    def run(self) -> int:
        options, size = self._options, self._options.s
        if self._v6:
            print(f"PING {options.host}({self._address}) {size} data bytes", flush=True)
        else:
            print(f"PING {options.host} ({self._address}) {size}({size + _HEADERS}) bytes of data.", flush=True)
        deadline = self._began + options.w if options.w else None
        with contextlib.suppress(_Interrupted):
            self._probe(deadline)
        self._summary()
        if not self._times:
            return 1
        return 1 if options.w and options.c and len(self._times) < options.c else 0

    def _probe(self, deadline: float | None) -> None:
        options = self._options
        while not options.c or self._sent < options.c or (deadline and len(self._times) < options.c):
            self._send()
            last = bool(options.c) and self._sent >= options.c and not deadline
            until = time.monotonic() + (options.W if last else options.i)
            if deadline:
                until = min(until, deadline)
            while (left := until - time.monotonic()) > 0:
                if options.c and len(self._times) >= options.c:
                    return
                if last and self._sent <= len(self._seen) + self._errors:
                    return
                self._receive(left)
            if deadline and time.monotonic() >= deadline:
                return

    def _send(self) -> None:
        self._sent += 1
        payload = _TIMESTAMP.pack(time.monotonic())[: self._options.s]
        payload += bytes(index & 0xFF for index in range(len(payload), self._options.s))
        packet = struct.pack("!BBHHH", 128 if self._v6 else 8, 0, 0, 0, self._sent & 0xFFFF) + payload
        try:
            self._socket.sendto(packet, (self._address, 0))
        except OSError as error:
            self._errors += 1
            print(f"ping: sendmsg: {error.strerror}", file=sys.stderr, flush=True)

    def _receive(self, timeout: float) -> None:
        ready, _, _ = select.select([self._socket], [], [], timeout)
        if not ready:
            return
        try:
            data, ancillary, _, sender = self._socket.recvmsg(65536, 256)
        except OSError as error:
            self._errors += 1
            with contextlib.suppress(OSError):
                self._socket.recvmsg(65536, 512, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
            if error.errno and not self._options.q:
                self._say(f"From {self._own_address()} icmp_seq={self._sent} Destination {_words(error)}")
            return
        kind, _, _, _, sequence = struct.unpack_from("!BBHHH", data)
        if kind != (129 if self._v6 else 0) or sequence in self._seen:
            return
        now = time.monotonic()
        body = data[8:]
        sent_at = _TIMESTAMP.unpack_from(body)[0] if len(body) >= _TIMESTAMP.size else now
        self._seen.add(sequence)
        self._times.append((now - sent_at) * 1000)
        if not self._options.q:
            ttl = next((struct.unpack_from("=i", value)[0] for _, _, value in ancillary), 64)
            self._say(
                f"{len(data)} bytes from {sender[0]}: icmp_seq={sequence} ttl={ttl} time={self._times[-1]:.3g} ms"
            )

    def _say(self, line: str) -> None:
        print(f"[{time.time():.6f}] {line}" if self._options.D else line, flush=True)

    def _summary(self) -> None:
        received = len(self._times)
        lost = 100 * (self._sent - received) / self._sent if self._sent else 0
        errors = f"+{self._errors} errors, " if self._errors else ""
        spent = (time.monotonic() - self._began) * 1000
        print(f"\n--- {self._options.host} ping statistics ---")
        print(
            f"{self._sent} packets transmitted, {received} received, "
            f"{errors}{lost:.6g}% packet loss, time {spent:.0f}ms"
        )
        if self._times:
            mean = sum(self._times) / received
            spread = (sum(value * value for value in self._times) / received - mean * mean) ** 0.5
            low, high = min(self._times), max(self._times)
            print(f"rtt min/avg/max/mdev = {low:.3f}/{mean:.3f}/{high:.3f}/{abs(spread):.3f} ms")
        sys.stdout.flush()


def _words(error: OSError) -> str:
    return {113: "Host Unreachable", 101: "Net Unreachable", 111: "Port Unreachable"}.get(
        error.errno or 0, error.strerror or "unreachable"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ping", add_help=False)
    parser.add_argument("-4", dest="four", action="store_true")
    parser.add_argument("-6", dest="six", action="store_true")
    parser.add_argument("-c", type=int, default=0)
    parser.add_argument("-i", type=float, default=1.0)
    parser.add_argument("-W", type=float, default=10.0)
    parser.add_argument("-w", type=float, default=0.0)
    parser.add_argument("-s", type=int, default=56)
    parser.add_argument("-I")
    for flag in "nqDOv":
        parser.add_argument(f"-{flag}", action="store_true")
    parser.add_argument("host")
    return parser.parse_args()


def _resolve(options: argparse.Namespace) -> tuple[str, socket.AddressFamily]:
    family = socket.AF_INET6 if options.six else socket.AF_INET if options.four else socket.AF_UNSPEC
    found = socket.getaddrinfo(options.host, None, family, socket.SOCK_DGRAM)
    return str(found[0][4][0]), found[0][0]


def main() -> int:
    options = _options()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise _Interrupted

    signal.signal(signal.SIGINT, interrupt)
    try:
        return _Ping(options, *_resolve(options)).run()
    except socket.gaierror as error:
        print(f"ping: {options.host}: {error.strerror}", file=sys.stderr)
    except OSError as error:
        print(f"ping: {options.I or options.host}: {os.strerror(error.errno or 0)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
