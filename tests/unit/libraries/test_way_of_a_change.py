# SPDX-License-Identifier: Apache-2.0
"""The way of one change through the libraries, as docs/how-it-works-inside.md tells it: traced, not believed.

The way down is the call stack when the PATCH is sent. The way of the verdict is every call stack by which it reads the
recorded history.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from KubeVirtLibrary import KubeVirtLibrary
from KubeVirtLibrary.base import SESSION
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import MIGRATION, POD, VM, VMI
from livenad.api.recorder import silent
from livenad.cluster.facts import read_facts, read_version
from livenad.context import Run
from livenad.errors import ProductFault
from livenad.networks.attachment import Place
from livenad.settings import Settings
from livenad.virtual_machines.manifests import pod_interface_name

from tests.unit.support.fake_api import FakeApi, Object

ROOT = Path(__file__).parents[3]
LIBRARIES = ROOT / "libraries"
PAGE = ROOT / "docs" / "how-it-works-inside.md"
MOST_FILES = 10
ROOMS = ("KubeVirtLibrary", "livenad/network_change", "livenad/changes.py", "livenad/api")
"""From top to bottom."""

Call = Callable[..., Any]
Stack = list[str]


@pytest.fixture
def call(healthy: FakeApi, cluster: Cluster) -> Iterator[Call]:
    """Calls keywords as Robot does, with a run on the fake cluster."""
    facts = read_facts(cluster, read_version(cluster))
    SESSION.run = run = Run(Settings(), cluster, facts, opened_in="", heartbeat=silent)
    library = KubeVirtLibrary()

    def keyword(name: str, *subjects: object, **named: object) -> Any:
        return library.run_keyword(name, list(subjects), named)

    yield keyword
    if run.suite is not None:
        run.suite.recorder.stop()
    run.created.lease.stop()
    SESSION.run = None


@pytest.fixture
def namespace(healthy: FakeApi, call: Call) -> str:
    """VM ``web`` runs in it on network blue; there is a second one, green."""
    name = str(call("Open Test Namespace"))
    for network in ("blue", "green"):
        call("Create Network", network, on=Place.bridge)
    call("Define VM", "web")
    call("Add NIC", "web", "secondary", network="blue", addresses="10.0.0.1/24")
    call("Start VMs")
    put_vmi(healthy, name, "n1", "blue")
    return name


def put_vmi(api: FakeApi, namespace: str, node: str, network: str, **status: object) -> None:
    spec = deepcopy(api.objects[VM.path(namespace), "web"]["spec"]["template"]["spec"])
    spec["networks"][1]["multus"]["networkName"] = network
    interface = {"name": "secondary", "podInterfaceName": pod_interface_name("secondary")}
    status |= {"phase": "Running", "nodeName": node, "interfaces": [interface]}
    vmi: Object = {"metadata": {"name": "web", "namespace": namespace, "uid": "vmi"}, "spec": spec, "status": status}
    api.put(VMI.path(namespace), vmi)


def migrate(api: FakeApi, namespace: str) -> None:
    """What the cluster does about the edit."""
    by_cluster = {"kubevirt.io/workloadUpdateMigration": ""}
    api.put(
        MIGRATION.path(namespace),
        {
            "metadata": {"name": "m", "namespace": namespace, "uid": "m", "annotations": by_cluster},
            "spec": {"vmiName": "web"},
            "status": {"phase": "Succeeded"},
        },
    )
    networks = [{"name": f"{namespace}/green", "interface": pod_interface_name("secondary")}]
    api.put(
        POD.path(namespace),
        {
            "metadata": {
                "name": "virt-launcher-web",
                "namespace": namespace,
                "labels": {"kubevirt.io/created-by": "vmi", "vm.kubevirt.io/name": "web"},
                "annotations": {"k8s.v1.cni.cncf.io/network-status": json.dumps(networks)},
            },
            "spec": {"nodeName": "n2"},
            "status": {"phase": "Running"},
        },
    )
    state = {"migrationUid": "m", "completed": True, "sourceNode": "n1", "targetNode": "n2"}
    put_vmi(api, namespace, "n2", "green", migrationState=state)


def stacks(act: Callable[[], object], wanted: Callable[[FrameType], bool]) -> list[Stack]:
    """The files of ours on the call stack, outermost first, at each call that is wanted."""
    found: list[Stack] = []
    here = threading.get_ident()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and threading.get_ident() == here and wanted(frame):
            found.append(files_of(frame))

    sys.setprofile(profile)
    try:
        act()
    finally:
        sys.setprofile(None)
    return found


def files_of(frame: FrameType | None) -> Stack:
    files: Stack = []
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(LIBRARIES):
            files.append(path.relative_to(LIBRARIES).as_posix())
        frame = frame.f_back
    return files[::-1]


def sends_patch(frame: FrameType) -> bool:
    return frame.f_code is Cluster._send.__code__ and frame.f_locals["verb"] == "PATCH"


def reads_history_for_verdict(frame: FrameType) -> bool:
    asked = frame.f_code in {getattr(History, name).__code__ for name in ("current", "records", "all", "since_when")}
    return asked and any("/judge_" in name for name in files_of(frame))


def test_way_of_a_change_and_of_its_verdict(healthy: FakeApi, call: Call, namespace: str) -> None:
    down = stacks(lambda: call("Change VM Network", "web", nic="secondary", network="green"), sends_patch)
    assert len(down) == 1
    migrate(healthy, namespace)
    within = timedelta(seconds=30)
    back = stacks(
        lambda: call("NIC Change Should Have Completed", "web", nic="secondary", within=within),
        reads_history_for_verdict,
    )
    assert back
    for stack in (*down, *back):
        ranks = [next(rank for rank, room in enumerate(ROOMS) if file.startswith(room)) for file in stack]
        assert ranks == sorted(ranks), f"not downward: {stack}"
    files = {file for stack in (*down, *back) for file in stack}
    assert len(files) <= MOST_FILES
    assert files == files_that_the_page_names()


def files_that_the_page_names() -> set[str]:
    way = PAGE.read_text(encoding="utf-8").partition("\n## ")[0]
    return set(re.findall(r"`([\w/]+\.py)`", way))


def test_verdict_can_be_a_fault(call: Call, namespace: str) -> None:
    """What is traced above is a verdict: without a migration it is another one."""
    call("Change VM Network", "web", nic="secondary", network="green")
    with pytest.raises(ProductFault, match="no migration object was made"):
        call("NIC Change Should Have Completed", "web", nic="secondary", within=timedelta(seconds=0.2))


def test_page_fits_one_screen_and_names_every_room() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 70
    named = set(re.findall(r"`livenad/(\w+)/`", "\n".join(lines)))
    assert named == {path.parent.name for path in (LIBRARIES / "livenad").glob("*/__init__.py")}
