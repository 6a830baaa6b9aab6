# SPDX-License-Identifier: Apache-2.0
"""The part of the program in guests that keeps connections open, and its beginning; see `guest_program`."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from typing import Any

from livenad.reachability.guest_program import PORT, answer, family_of, say, uptime
from livenad.reachability.guest_requests import Asking

LINE_SECONDS = 0.2


def hold(order: dict[str, Any]) -> None:
    """Keep connections open in a process of its own, and a line of each in the file ``order["state"]``.

    ``C <number> <opened> <answered> <gap> <gap ended> <error>``: uptimes in seconds, and the longest time between two
    answers. ``order["targets"]`` are number, address of the NIC and address of the target.
    """
    state = order["state"]
    if os.fork():
        return
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        lines: dict[int, str] = {}
        for target in order["targets"]:
            threading.Thread(target=_hold_one, args=(lines, *target), daemon=True).start()
        end = float(uptime()) + order["seconds"]
        while float(uptime()) < end and os.path.isdir(os.path.dirname(state)):  # noqa: PTH112, PTH120
            text = "".join(f"{line}\n" for _, line in sorted(lines.items()))
            with open(state + ".new", "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(f"{text}T {uptime()}\n")
            os.rename(state + ".new", state)  # noqa: PTH104
            time.sleep(LINE_SECONDS)
    finally:
        os._exit(0)


def _hold_one(lines: dict[int, str], number: int, source: str, target: str) -> None:
    opened = answered = gap = ended = 0.0
    error = ""
    try:
        with socket.socket(family_of(target), socket.SOCK_STREAM) as one:
            one.settimeout(20.0)
            one.bind((source, 0))
            one.connect((target, PORT))
            one.settimeout(None)
            one.sendall(b"ECHO\n")
            with one.makefile("rb") as answers:
                opened = answered = float(uptime())
                while True:
                    one.sendall(b"%f\n" % time.time())
                    if not answers.readline():
                        error = "closed by the other side"
                        return
                    now = float(uptime())
                    if now - answered > gap:
                        gap, ended = now - answered, now
                    answered = now
                    lines[number] = f"C {number} {opened:.2f} {answered:.2f} {gap:.2f} {ended:.2f} -"
                    time.sleep(LINE_SECONDS)
    except OSError as broken:
        error = broken.strerror or type(broken).__name__
    finally:
        why = error.replace(" ", "_") or "-"
        lines[number] = f"C {number} {opened:.2f} {answered:.2f} {gap:.2f} {ended:.2f} {why}"


def main(text: str, stop: str = "", kept: str = "/", slow: str = "") -> None:
    """Answer from now on, and do what an order says, as JSON: ``hold`` connections, or ask."""
    order = json.loads(text)
    answer()
    if "targets" in order:
        hold(order)
    elif "probes" in order:
        say("P", 0, os.getpid())
        Asking(order, stop, kept, bool(slow)).run()
