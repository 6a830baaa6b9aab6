# SPDX-License-Identifier: Apache-2.0
"""What the harness takes for many VMs, without a cluster: a recorded swap arrives for each, and two keywords wait.

    python -m tests.benchmarks.replayed_vms SIZE...

The libraries on PYTHONPATH are measured. Prints one JSON object a size: CPU seconds of the keywords' thread and of
what records, MiB of the process, records.
"""

from __future__ import annotations

import copy
import json
import resource
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import Any, cast

import KubeVirtLibrary.queue
from KubeVirtLibrary import KubeVirtLibrary as Library
from KubeVirtLibrary.base import SESSION
from livenad.api.history import History
from livenad.api.kinds import MIGRATION, POD, VM, VMI, Kind, Object
from livenad.api.recorder import Recorder, silent
from livenad.changes import ChangeLog, network_change
from livenad.context import Run, SuiteContext
from livenad.guest.guests import Guests
from livenad.model import GuestLogin, Nic, VmRecord
from livenad.ownership.naming import SuiteNamespace
from livenad.recorded_checks import RecordedChecks
from livenad.settings import Settings
from livenad.virtual_machines.registry import VirtualMachines

from tests.embedded import ROOT

RECORDING = ROOT / "tests" / "unit" / "data" / "histories" / "swap-main.jsonl"
EDITED = 7.111
"""Seconds from the start of the recording to the edit."""

NAMESPACE = "lab-b-basic"
EVENTS_A_SECOND = 2000
KINDS = {kind.name: kind for kind in (VM, VMI, MIGRATION, POD)}
LONG = timedelta(minutes=10)


def main(sizes: list[int]) -> None:
    """Each size in a process of its own, so that memory is its own."""
    if len(sizes) == 1:
        print(json.dumps(measure(sizes[0])))
        return
    for size in sizes:
        subprocess.run([sys.executable, "-m", "tests.benchmarks.replayed_vms", str(size)], check=True, cwd=ROOT)


def measure(size: int) -> dict[str, float]:
    """All VMs boot, are edited, and move."""
    lines = [json.loads(line) for line in RECORDING.read_text(encoding="utf-8").splitlines()]
    boots = [line for line in lines if line["t"] <= EDITED]
    moves = [line for line in lines if line["t"] > EDITED]
    names = [f"many-{number}" for number in range(size)]
    suite = _open(names)
    library, history = Library(), suite.recorder.history
    clock = _Clock()
    recording = clock.feed(history, boots, names)
    clock.count(lambda: library.run_keyword("Wait Until VMs Are Ready", [], {"within": LONG}))
    recording.join()
    for name in names:
        change = network_change(history, suite.vms[name], "net1", "nad-b")
        suite.changes.add(change)
    recording = clock.feed(history, moves, names)
    clock.count(
        lambda: library.run_keyword("NIC Change Should Have Completed", [names], {"nic": "net1", "within": LONG})
    )
    recording.join()
    SESSION.run = None
    return {
        "size": size,
        "keywords": clock.waiting,
        "recording": clock.recording,
        "cpu": clock.waiting + clock.recording,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "records": len(history),
    }


class _Clock:
    """CPU seconds of the thread that waits, and of that which records."""

    def __init__(self) -> None:
        self.waiting = self.recording = 0.0
        self._version = 0

    def count(self, keyword: Any) -> None:
        began = time.thread_time()
        keyword()
        self.waiting += time.thread_time() - began

    def feed(self, history: History, lines: list[Object], names: list[str]) -> threading.Thread:
        """Record a line for each VM, then the next one."""

        def run() -> None:
            due = time.monotonic()
            for line in lines:
                for number, name in enumerate(names):
                    kind, item = _of_vm(line, number, name)
                    self._version += 1
                    item["metadata"]["resourceVersion"] = str(self._version)
                    due += 1 / EVENTS_A_SECOND
                    time.sleep(max(0.0, due - time.monotonic()))
                    began = time.thread_time()
                    history.append(kind, line["type"], item)
                    self.recording += time.thread_time() - began

        thread = threading.Thread(target=run)
        thread.start()
        return thread


def _of_vm(line: Object, number: int, name: str) -> tuple[Kind, Object]:
    """One line of the recording as if another VM had been recorded, decoded as a watch would."""
    text = json.dumps(line["object"]).replace('vm1"', f'{name}"').replace("launcher-vm1", f"launcher-{name}")
    item = json.loads(text.replace("kubevirt-workload-update", f"update-{number}"))
    for place in (item["metadata"], *item["metadata"].get("ownerReferences", [])):
        place["uid"] = f"{number}-{place['uid']}"
    labels = item["metadata"].get("labels", {})
    for label in ("kubevirt.io/created-by", "kubevirt.io/migrationJobUID"):
        if label in labels:
            labels[label] = f"{number}-{labels[label]}"
    state = item.get("status", {}).get("migrationState", {})
    if "migrationUid" in state:
        state["migrationUid"] = f"{number}-{state['migrationUid']}"
    return KINDS[line["kind"]], cast(Object, item)


def _open(names: list[str]) -> SuiteContext:
    """An open namespace with these VMs, recorded by nothing."""
    KubeVirtLibrary.queue._show = lambda *_: None  # the chart is drawn once, and is no part of the waits
    run = SESSION.run = Run(Settings(), cast(Any, None), cast(Any, None), opened_in="", heartbeat=silent)
    namespace = SuiteNamespace(NAMESPACE)
    run.networks.enter(namespace)
    recorder = Recorder(cast(Any, None), NAMESPACE, kinds=())
    vms = VirtualMachines(namespace, run.run_id, "tester")
    login = GuestLogin("tester", "password", "private", "public")
    for name in names:
        nics = [Nic("default", "02:00:00:00:00:01"), Nic("net1", "02:00:00:00:00:02", "nad-a")]
        vms._records[name] = VmRecord(name, NAMESPACE, copy.copy(login), nics, origin="existing")
        vms.mark_started(name)
    guests = Guests(run.cluster, recorder, vms.__getitem__, print)
    run.suite = SuiteContext(namespace, "", recorder, vms, ChangeLog(), RecordedChecks(), guests)
    return run.suite


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
