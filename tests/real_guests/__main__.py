# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.real_guests``: guest access on real guests, as many rounds as you like. See ``--help``."""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from emulator.qemu.accelerator import accelerator_text
from emulator.qemu.busybox import image
from emulator.qemu.needs import missing
from emulator.qemu.packages import PackagesMissing
from tests.real_guests.catalogue import CATALOGUE, REDUCED
from tests.real_guests.real_guest import RealGuest
from tests.real_guests.tries import Result, Runner, Try, Way

DESCRIPTION = "Runs the product's guest access against QEMU guests: a catalogue of tries, each over console and SSH."
MISSING = 3
"""Exit status where packages are missing."""


def plan(tries: Iterable[Try], rounds: int) -> Iterator[tuple[int, Try, Way]]:
    for number in range(rounds):
        for one in tries:
            for way in one.ways:
                yield number, one, way


def run(tries: Sequence[Try], rounds: int, results: Path, seconds: float) -> list[Result]:
    """Runs what ``results`` has not yet, and appends to it; starts no further try after ``seconds``."""
    done = _done(results)
    left = [entry for entry in plan(tries, rounds) if _key(*entry) not in done]
    end = time.monotonic() + seconds
    while left and time.monotonic() < end:
        left = _on_one_guest(left, results, end)
    wanted = {_key(*entry) for entry in plan(tries, rounds)}
    return [result for key, result in _done(results).items() if key in wanted]


def _on_one_guest(left: list[tuple[int, Try, Way]], results: Path, end: float) -> list[tuple[int, Try, Way]]:
    """A fresh guest, for as many tries as it stays fit for; returns those that are left."""

    with RealGuest(image()) as guest:
        guest.await_agent()
        runner = Runner(guest)
        while left and time.monotonic() < end:
            number, one, way = left[0]
            if "{boot_id}" in one.expected:
                one = replace(one, expected=f"{guest.inside('cat /proc/sys/kernel/random/boot_id').strip()}\n")
            try:
                result = runner.run(one, way)
            except (RuntimeError, TimeoutError) as error:
                # The guest, and not what is tried on it, is out of order: the next one is fresh.
                result = Result(one.topic, one.name, way, "undecided", 0.0, f"the guest is out of order: {error}")
            left = left[1:]
            with results.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps({"round": number} | asdict(result)) + "\n")
            print(
                f"{result.outcome:9} {result.seconds:6.1f} s  {one.topic}: {one.name}, {way}  {result.why}", flush=True
            )
            if "out of order" in result.why:
                break
    return left


def _key(number: int, one: Try, way: Way) -> tuple[int, str, str, str]:
    return number, one.topic, one.name, way


def _done(results: Path) -> dict[tuple[int, str, str, str], Result]:
    found = {}
    for line in results.read_text(encoding="utf-8").splitlines() if results.exists() else ():
        entry = json.loads(line)
        number = entry.pop("round")
        found[number, entry["topic"], entry["name"], entry["way"]] = Result(**entry)
    return found


def table(results: Sequence[Result]) -> str:
    """Outcomes and times of each topic."""
    lines = ["topic            right  wrong  undecided  median   most"]
    for topic in dict.fromkeys(result.topic for result in results):
        of_topic = [result for result in results if result.topic == topic]
        counts = Counter(result.outcome for result in of_topic)
        times = [result.seconds for result in of_topic]
        lines.append(
            f"{topic:15} {counts['right']:6} {counts['wrong']:6} {counts['undecided']:10} "
            f"{statistics.median(times):6.1f} s {max(times):5.1f} s"
        )
    counts = Counter(result.outcome for result in results)
    lines.append(f"{'all':15} {counts['right']:6} {counts['wrong']:6} {counts['undecided']:10}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """0: no try went wrong, and at most 2 % stayed undecided; 1 otherwise; 3 where packages are missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.real_guests", description=DESCRIPTION)
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="of the whole catalogue (1)")
    parser.add_argument(
        "--topic", action="append", default=[], metavar="TEXT", help="topics that have this in their name"
    )
    parser.add_argument("--name", default="", metavar="TEXT", help="tries that have this in their name")
    parser.add_argument("--reduced", action="store_true", help="one try of each topic, as ./test.sh does")
    parser.add_argument("--results", type=Path, metavar="FILE", help="go on where this file ends, and append to it")
    parser.add_argument("--for", dest="seconds", type=float, default=float("inf"), metavar="SECONDS", help="then stop")
    arguments = parser.parse_args(argv)
    # Its tracebacks of connections that end are no news here.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    if lack := missing():
        print(f"no real guests here: {lack}", file=sys.stderr)
        return MISSING
    tries = [
        one
        for one in (REDUCED if arguments.reduced else CATALOGUE)
        if arguments.name in one.name and (not arguments.topic or any(t in one.topic for t in arguments.topic))
    ]
    results = arguments.results or Path("results") / f"real-guests-{time.strftime('%Y%m%d-%H%M%S')}.jsonl"
    results.parent.mkdir(parents=True, exist_ok=True)
    print(f"{sum(len(one.ways) for one in tries) * arguments.rounds} tries; results: {results}")
    try:
        print(f"guests run by {accelerator_text(image().kernel)}")
        found = run(tries, arguments.rounds, results, arguments.seconds)
    except PackagesMissing as error:
        print(f"no real guests here: {error}", file=sys.stderr)
        return MISSING
    print(table(found) if found else "none was run")
    outcomes = Counter(result.outcome for result in found)
    return 1 if outcomes["wrong"] or outcomes["undecided"] > 0.02 * len(found) else 0


if __name__ == "__main__":
    sys.exit(main())
