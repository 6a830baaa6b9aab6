# SPDX-License-Identifier: Apache-2.0
"""An open test namespace, as keywords find it, on the fake API server."""

from __future__ import annotations

from livenad.api.client import Cluster
from livenad.api.recorder import Recorder, silent
from livenad.changes import ChangeLog
from livenad.cluster.facts import read_facts, read_version
from livenad.context import Run, Session, SuiteContext
from livenad.guest.guests import Guests
from livenad.ownership.naming import Naming, SuiteNamespace
from livenad.recorded_checks import RecordedChecks
from livenad.settings import Settings
from livenad.virtual_machines.registry import VirtualMachines


def opened(cluster: Cluster, suffix: str = "") -> Session:
    """A session whose run has namespace "demo" open; nothing is recorded there, and nothing is asked or leased yet."""
    session, namespace = Session(), SuiteNamespace("demo", Naming(suffix))
    facts = read_facts(cluster, read_version(cluster))
    session.run = run = Run(Settings(), cluster, facts, opened_in="Suite", heartbeat=silent)
    recorder = Recorder(cluster, namespace.name, naming=namespace.naming)
    vms = VirtualMachines(namespace, run.run_id, "tester")
    guests = Guests(cluster, recorder, vms.__getitem__, silent)
    run.networks.enter(namespace)
    run.suite = SuiteContext(namespace, "Suite", recorder, vms, ChangeLog(), RecordedChecks(), guests)
    return session
