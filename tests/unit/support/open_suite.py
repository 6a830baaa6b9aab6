# SPDX-License-Identifier: Apache-2.0
"""An open test namespace without a cluster: of what was recorded, of records of VMs, and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from KubeVirtLibrary.base import SESSION
from livenad.api.history import History
from livenad.api.recorder import Recorder, silent
from livenad.changes import ChangeLog
from livenad.context import Run, SuiteContext
from livenad.guest.guests import Guests
from livenad.model import Nic, VmRecord
from livenad.ownership.naming import SuiteNamespace
from livenad.recorded_checks import RecordedChecks
from livenad.settings import Settings
from livenad.virtual_machines.registry import VirtualMachines

from tests.unit.support.histories import Alteration, replay
from tests.unit.support.topology import LOGIN


class Replayed(Recorder):
    """A recorder whose record has ended: nothing more will come, so nothing is waited for."""

    def __init__(self, history: History, namespace: str) -> None:
        self.history, self.namespace = history, namespace
        self._streams = {}

    def wait_for(self, predicate: Callable[[History], Any], *_: object, **__: object) -> Any:
        """What the record says."""
        return predicate(self.history) or None


class Nothing:
    """A cluster that has nothing."""

    def find(self, *_: object) -> None:
        """No object is found."""


def open_run() -> Run:
    """The session's run from now on: on a cluster of which nothing is known, without a namespace."""
    SESSION.run = Run(Settings(), cast(Any, Nothing()), cast(Any, None), opened_in="", heartbeat=silent)
    return SESSION.run


def open_suite(name: str, history: History, records: dict[str, VmRecord]) -> SuiteContext:
    """The session's open namespace from now on, with these VMs and this record."""
    run, namespace = open_run(), SuiteNamespace(name)
    run.networks.enter(namespace)
    recorder = Replayed(history, name)
    vms = VirtualMachines(namespace, run.run_id, "tester")
    vms._records.update(records)
    guests = Guests(run.cluster, recorder, vms.__getitem__, print)
    run.suite = SuiteContext(namespace, "", recorder, vms, ChangeLog(), RecordedChecks(), guests)
    return run.suite


def open_replay(recording: str, alter: Alteration | None = None) -> SuiteContext:
    """At the end of a recording of ``vm1``, whose NIC ``net1`` was moved from nad-a to nad-b."""
    history, change = replay(recording, alter)
    nics = [Nic("default", "02:00:00:00:00:01"), Nic("net1", "02:00:00:00:00:02", "nad-b")]
    suite = open_suite(change.namespace, history, {"vm1": VmRecord("vm1", change.namespace, LOGIN, nics)})
    suite.changes.add(change)
    return suite
