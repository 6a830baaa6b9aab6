# SPDX-License-Identifier: Apache-2.0
"""Keywords called by their names, on a scripted cluster or on what was recorded of a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from GuestLibrary import GuestLibrary
from KubeVirtLibrary import KubeVirtLibrary
from KubeVirtLibrary.base import SESSION
from livenad.api.client import Cluster
from livenad.api.kinds import VM, VMI
from livenad.api.recorder import silent
from livenad.cluster.facts import read_facts, read_version
from livenad.context import Run, SuiteContext
from livenad.networks.attachment import Place
from livenad.settings import Settings
from livenad.virtual_machines.manifests import nic_mac

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.open_suite import open_replay

NAME = "nad-swap-r1-1"
"""The first test namespace of a run."""

LIBRARIES = (KubeVirtLibrary(), GuestLibrary())


class Call(Protocol):
    """Calls a keyword as Robot does, with arguments that are converted already."""

    def __call__(self, keyword: str, *subjects: object, **named: Any) -> Any: ...


def call_keyword(keyword: str, *subjects: object, **named: Any) -> Any:
    (library,) = (one for one in LIBRARIES if keyword in one.keywords)
    return library.run_keyword(keyword, list(subjects), named)


def open_run() -> Run:
    """The run on the open cluster."""
    assert SESSION.run is not None
    return SESSION.run


def open_suite() -> SuiteContext:
    """The context of the open test namespace."""
    return open_run().require_suite()


@pytest.fixture
def keywords(monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Calls keywords; what they open ends with the test."""
    monkeypatch.setattr(SESSION, "run", None)
    yield call_keyword
    run = SESSION.run
    if run is not None:
        if run.suite is not None:
            run.suite.recorder.stop()
        run.created.lease.stop()


@pytest.fixture
def connect(healthy: FakeApi, cluster: Cluster, keywords: Call, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Call]:
    """Opens the scripted cluster with these settings, as the first keyword of a run does. The run is ``r1``."""
    monkeypatch.setattr("livenad.context.new_run_id", lambda: "r1")

    def with_settings(**settings: Any) -> Call:
        facts = read_facts(cluster, read_version(cluster))
        SESSION.run = Run(Settings(**settings), cluster, facts, opened_in="", heartbeat=silent)
        return keywords

    return with_settings


@pytest.fixture
def call(connect: Callable[..., Call]) -> Call:
    """Calls keywords in an open test namespace."""
    keywords = connect()
    keywords("Open Test Namespace")
    return keywords


@pytest.fixture
def web(call: Call) -> Call:
    """The same, with networks "blue" and "green", and a VM "web" that is defined with a NIC "secondary" on "blue"."""
    call("Create Network", "blue", on=Place.bridge)
    call("Create Network", "green", on=Place.bridge)
    call("Define VM", "web")
    call("Add NIC", "web", "secondary", network="blue", addresses="10.0.0.1/24")
    return call


@pytest.fixture
def started(web: Call) -> Call:
    """The same, and the VM is created."""
    web("Start VMs")
    return web


@pytest.fixture
def replayed(keywords: Call) -> Callable[[str], Call]:
    """Opens a namespace at the end of a recording of ``vm1``, whose NIC ``net1`` was moved from nad-a to nad-b."""

    def at_the_end_of(recording: str) -> Call:
        open_replay(recording)
        return keywords

    return at_the_end_of


def boot(api: FakeApi, **changes: object) -> None:
    """What the cluster makes of "web": a VMI that runs; ``changes`` are to its status."""
    vm = api.objects[VM.path(NAME), "web"]
    interfaces = [
        {"name": "default", "mac": nic_mac("r1", f"{NAME}/web", "default"), "ipAddress": "10.2.0.1"},
        {
            "name": "secondary",
            "mac": nic_mac("r1", f"{NAME}/web", "secondary"),
            "ipAddresses": ["10.0.0.1"],
            "podInterfaceName": "podc0f69e19ba2",
        },
    ]
    conditions = [{"type": name, "status": "True"} for name in ("Ready", "AgentConnected", "LiveMigratable")]
    status = {"phase": "Running", "nodeName": "n1", "interfaces": interfaces, "conditions": conditions, **changes}
    spec = vm["spec"]["template"]["spec"]
    api.put(VMI.path(NAME), {"metadata": {"name": "web", "namespace": NAME}, "spec": spec, "status": status})
