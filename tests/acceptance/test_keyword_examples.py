# SPDX-License-Identifier: Apache-2.0
"""The examples in the keyword reference, and the libraries' minimal suites, are green on an embedded cluster.

One Robot run executes all of them, in the order of ``STORY``. The VMs and networks that an example names exist by then:

1. the minimal suites of the introductions;
2. a suite in a namespace of its own: start of the VMs ``web``, ``db``, ``shop``, ``old-peer`` and ``new-peer``; a
   network change of ``web`` and the checks on it; a migration of ``db`` that fails; hot-plug, restart; and at the end
   the keywords that stop, delete and close;
3. a suite in the namespace ``team-a``, for the VM that exists already;
4. a suite that changes settings of the cluster, removes orphaned resources and closes the cluster: nothing runs
   beside it or after it.

A line of a test that is the name of a keyword stands for that keyword's example; any other line is setup.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from robot.api import ExecutionResult

from tests.embedded import ROOT, RobotRun, embedded_cluster, run_robot
from tests.keyword_examples import examples, minimal_suites, suite_of

from .cluster import Api
from .test_examples import COLLECTIONS, await_running

EXAMPLES = ROOT / "docs" / "examples"
KEYWORDS = examples()


@dataclass(frozen=True)
class Suite:
    """A generated suite: its tests, each with its lines, and its variables."""

    tests: dict[str, list[str]]
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        variables = "".join(f"{name}    {value}\n" for name, value in self.variables.items())
        bodies = {
            name: [line for step in steps for line in KEYWORDS.get(step, [step])] for name, steps in self.tests.items()
        }
        return suite_of(bodies, variables)


PEERS = [
    "Define VM    old-peer",
    "Add NIC    old-peer    main    network=old-network    addresses=10.10.0.11/24, 10.10.1.11/24",
    "Add NIC    old-peer    witness    network=new-network    addresses=10.10.2.11/24",
    "Define VM    new-peer",
    "Add NIC    new-peer    main    network=new-network    addresses=10.10.0.12/24, 10.10.2.12/24",
    "Add NIC    new-peer    witness    network=old-network    addresses=10.10.1.12/24",
    "Define VM    db    eviction_strategy=LiveMigrate",
    "Add NIC    db    secondary    network=old-network    addresses=10.10.0.30/24",
]
"""As in resources/network_change.resource: each peer can prove that the other one answers on its own network."""

SETTLED = "Wait Until Change Has Settled    db    within=5 min"
NETWORK_CHANGE = Suite(
    {
        "Cluster": [
            "Cluster Should Be Fit",
            "Cluster Should Offer",
            "Get Cluster Capability",
            "Get Cluster Facts",
            "User Should Be Allowed To",
        ],
        "Namespace, Networks And VMs": [
            "Open Test Namespace",
            "Create Network",
            "Create Additional Namespace",
            "Define VM",
            "Add NIC",
            *PEERS,
            "Define VM From Manifest",
            "Start VMs",
            "Wait Until VMs Are Ready",
            "Co-locate VMs",
        ],
        "Getters": ["Get VM", "Get VMI", "Get NIC", "Get VM Node"],
        "Change Of A Network": [
            "Record Guest",
            "Record Metrics",
            "Start Outage Monitoring",
            "Change VM Network",
            "Wait For VM Event",
            "Wait Until Change Has Settled",
            "Stop Outage Monitoring",
        ],
        "Result In The API": [
            "NIC Change Should Have Completed",
            "VMI Interface Should Be Unchanged",
            "VM Should Be On Network",
            "Source Pod Networks Should Be Unchanged",
            "Condition Should Never Have Been Set",
            "Condition Should Have Been Cleared",
            "VM Should Have Been Migrated",
            "VM Should Have Stayed On Its Node",
            "VM Should Not Have Restarted",
        ],
        "Result In Metrics": [
            "Metrics Should Show New Network",
            "Metrics Should Not Show Old Network",
            "Metrics Of Other NICs Should Be Unchanged",
        ],
        "Result In The Guests": [
            "Guest Should Not Have Rebooted",
            "Guest Interface Should Be Unchanged",
            "Guests Should Reach Each Other",
            "Guests Should Be Silent To Each Other",
            "Start Silence Monitoring",
            "Pod Network Should Work",
            "Start Packet Loss Monitoring",
            "Packet Loss Should Be Below",
            "Outage Should Be Below",
            "Run In Guest",
        ],
        "Everything Else": ["Nothing Else Should Have Changed"],
        "Recorded Checks": ["Record Check", "Recorded Check Should Pass"],
        "Permissions": ["Create VM Owner", "User Should Be Forbidden To"],
        "Eviction": [
            "Evict VM",
            SETTLED,
            "VM Should Have Been Evacuated",
            "Change VM Network    db    nic=secondary    network=old-network",
            SETTLED,
        ],
        "Induced Migration Failure": [
            "Start Outage Monitoring    db    nic=secondary    old_peer=old-peer    new_peer=new-peer",
            "Induce Migration Failure",
            "Old Network Should Have Been Kept",
        ],
        "Hot-Plug": ["Hot Plug NIC", "Configure Guest NIC", "Guest NIC Should Be", "Hot Unplug NIC"],
        "Migration On Request": ["Migrate VM"],
        "Change That Needs A Restart": [
            "Change NIC Settings",
            "Condition Should Be Set",
            "Change Should Not Have Been Applied Live",
            "Restart VM",
            "VM Should Have Restarted",
            "Guest Should Have Rebooted",
        ],
        "End": ["Stop VM", "Delete VM", "Close Test Namespace"],
    }
)
EXISTING_VM = Suite(
    {"Existing VM": ["Open Test Namespace", "Use Existing VM"]},
    {"${NAMESPACE}": "team-a", "${PASSWORD: Secret}": "%{EXISTING_VM_PASSWORD=example-only}"},
)
WHOLE_CLUSTER = Suite(
    {
        "Cluster Settings": ["Cluster Setting Should Be Changeable", "Change Cluster Setting", "Close Test Namespace"],
        "Orphaned Resources": ["Delete Orphaned Resources"],
        "End": ["Close Cluster"],
    },
    {"${ALLOW_DISRUPTIVE}": "yes"},
)
STORY = {
    **{f"1{number}__{name}": text for number, (name, text) in enumerate(minimal_suites().items())},
    "20__Network_Change": NETWORK_CHANGE.text,
    "30__Existing_VM": EXISTING_VM.text,
    "40__Whole_Cluster": WHOLE_CLUSTER.text,
}

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RobotRun:
    folder = tmp_path_factory.mktemp("keyword-examples")
    suites = folder / "examples"
    suites.mkdir()
    for name, text in STORY.items():
        (suites / f"{name}.robot").write_text(text, encoding="utf-8")
    manifest = (EXAMPLES / "web-server.yaml").read_text(encoding="utf-8")
    (suites / "shop.yaml").write_text(manifest.replace("networkName: blue", "networkName: old-network"))
    with embedded_cluster(folder) as kubeconfig:
        create_existing_vm(Api(kubeconfig))
        return run_robot(folder / "results", "--variable", f"KUBECONFIG:{kubeconfig}", suites=suites, timeout=240)


def create_existing_vm(api: Api) -> None:
    for document in yaml.safe_load_all((EXAMPLES / "existing-vm.yaml").read_text(encoding="utf-8")):
        api.create(COLLECTIONS[document["kind"]], document)
    await_running(api, "web")


def test_each_example_is_executed() -> None:
    suites = (NETWORK_CHANGE, EXISTING_VM, WHOLE_CLUSTER)
    executed = {step for suite in suites for steps in suite.tests.values() for step in steps}
    assert set(KEYWORDS) - executed == set()


def test_examples_are_green(run: RobotRun) -> None:
    found = {f"{one.suite}: {name}": f"{one.verdict.name} {one.message}" for name, one in run.outcomes.items()}
    assert len(found) > len(STORY)
    assert set(found.values()) == {"PASS "}, found


def test_examples_warn_of_nothing(run: RobotRun) -> None:
    result: Any = ExecutionResult(str(run.folder / "output.xml"))
    assert [message.message for message in result.errors.messages] == []
