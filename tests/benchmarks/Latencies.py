"""Times what the keywords do, beneath Robot's own bookkeeping."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from GuestLibrary.context import Via
from robot.libraries.BuiltIn import BuiltIn
from testbed.objects.kinds import NAD, Object, dig
from testbed.run import Run

LABEL = "benchmark"


class Latencies:
    """Keywords of latencies.robot; ``figures`` maps a figure's name to seconds."""

    ROBOT_LIBRARY_SCOPE = "SUITE"

    def __init__(self) -> None:
        self.figures: dict[str, list[float]] = {}

    def time_guest_commands(self, vm: str, via: Via, count: int) -> None:
        guests: Any = BuiltIn().get_library_instance("GuestLibrary")
        run_in_guest = guests.keywords["run_in_guest"]
        run_in_guest(vm, "true", via=via)
        seconds = []
        for number in range(count):
            start = time.monotonic()
            result = run_in_guest(vm, f"echo {number}", via=via)
            seconds.append(time.monotonic() - start)
            if result.stdout.strip() != str(number):
                raise AssertionError(f"command {number} answered {result.stdout!r}")
        self.figures[f"guest command, {via.name}"] = seconds

    def time_waits(self, count: int) -> None:
        """The clock starts before the write is sent, so the figure is an upper bound of commit to return."""
        run = Run.current()
        recorder, namespace = run.require_recorder(), run.require_namespace()
        seconds = []
        for number in range(count):
            sent: list[float] = []
            writer = threading.Timer(0.02, self._label, (namespace, str(number), sent))
            writer.start()

            def labelled(history: object, wanted: str = str(number)) -> Object | None:
                nad = recorder.history.current(NAD, "timed-network")
                return nad if dig(nad, "metadata", "labels", LABEL) == wanted else None

            found = recorder.wait_for(labelled, 10, f"label {number}", lambda: "not yet")
            end = time.monotonic()
            writer.join()
            if not found:
                raise AssertionError(f"label {number} was never seen")
            seconds.append(end - sent[0])
        self.figures["wait, from the write's sending to the wait's return"] = seconds

    @staticmethod
    def _label(namespace: str, value: str, sent: list[float]) -> None:
        sent.append(time.monotonic())
        patch = [{"op": "add", "path": f"/metadata/labels/{LABEL}", "value": value}]
        Run.current().cluster.json_patch(
            NAD, "timed-network", namespace, patch, lambda nad: dig(nad, "metadata", "labels", LABEL) == value
        )

    def write_figures(self, path: str) -> None:
        Path(path).write_text(json.dumps(self.figures), encoding="utf-8")
