# SPDX-License-Identifier: Apache-2.0
"""Bad input: one clear error that names the value and the remedy, before anything is created."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from testplan.gate import Exit
from testplan.results import Outcome
from tests.embedded import ROOT, RobotRun, embedded_cluster, run_robot

from .cluster import Api, Object

IMPORTS = """\
*** Settings ***
Library           KubeVirtLibrary
Library           GuestLibrary
Variables         {variables}


*** Test Cases ***
{name}
"""


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with embedded_cluster(tmp_path_factory.mktemp("cluster")) as path:
        yield path


def assert_refused(run: RobotRun, *fragments: str) -> None:
    """Every test of the run has one and the same error, the lab's, with these words in it."""
    messages = {outcome.message for outcome in run.outcomes.values()}
    assert len(messages) == 1, messages
    (message,) = messages
    assert message.count("LAB ERROR: ") == 1, message
    for fragment in fragments:
        assert fragment in message
    assert run.judgement.exit == Exit.LAB_ERROR


def assert_nothing_created(kubeconfig: Path, since: str) -> None:
    api = Api(kubeconfig)
    created = [item["metadata"]["name"] for item in api.added_since("/api/v1/namespaces", since)]
    assert created == []


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("VLANS:5000", "from 1 to 4094"),
        ("NODE_NETWORK:ovs", "one of existing, nmstate, node-local"),
        ("BRIDGE:a-name-that-is-too-long", "15 characters at most"),
        ("SWAP_TIMEOUT:soon", "a time above 0"),
        ("NAMESPACE_PREFIX:Nad_Swap", "lower-case letters, digits and hyphens"),
        ("VM_MEMORY:lots", "a quantity such as 1Gi"),
    ],
)
def test_a_variable_with_an_unknown_value(kubeconfig: Path, tmp_path: Path, variable: str, expected: str) -> None:
    since = Api(kubeconfig).resource_version("/api/v1/namespaces")
    run = run_robot(tmp_path, "--variable", variable, "--variable", f"KUBECONFIG:{kubeconfig}")
    name, value = variable.split(":")
    assert_refused(run, f'variable {name} is "{value}"', expected, f"--variable {name}:<value>")
    assert_nothing_created(kubeconfig, since)


def test_a_kubeconfig_that_is_missing(tmp_path: Path) -> None:
    run = run_robot(tmp_path, "--variable", f"KUBECONFIG:{tmp_path}/nowhere")
    assert_refused(run, f'kubeconfig "{tmp_path}/nowhere"', "does not exist", "--variable KUBECONFIG:<path>")


def test_a_context_that_the_kubeconfig_does_not_have(kubeconfig: Path, tmp_path: Path) -> None:
    run = run_robot(tmp_path, "--variable", f"KUBECONFIG:{kubeconfig}", "--variable", "CONTEXT:production")
    known = yaml.safe_load(kubeconfig.read_text())["contexts"][0]["name"]
    assert_refused(run, 'context "production"', f"it has: {known}")


def test_an_api_server_that_nobody_serves(kubeconfig: Path, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server = f"https://127.0.0.1:{unused.getsockname()[1]}"
        config = yaml.safe_load(kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = server
        copy = tmp_path / "unreachable"
        copy.write_text(yaml.safe_dump(config))
        run = run_robot(tmp_path / "results", "--variable", f"KUBECONFIG:{copy}")
    assert_refused(run, server, str(copy))


ADD_NIC = "    Add NIC    web    secondary    network=blue    addresses=10.0.0.1/24\n"
MISUSES = {
    "name that no NAD can have": (
        "    Create Network    New_Network    on=bridge\n",
        'network "New_Network" is not the name of a NAD; expected lower-case letters',
    ),
    "address without prefix": (
        "    Define VM    web\n    Create Network    blue    on=bridge\n"
        "    Add NIC    web    secondary    network=blue    addresses=10.0.0.1\n",
        'address "10.0.0.1" of NIC "secondary" has no prefix; expected an address with its prefix, such as '
        "10.10.0.10/24 or fd00::10/64",
    ),
    "unknown network": (
        "    Create Network    blue    on=bridge\n    Define VM    web\n"
        "    Add NIC    web    secondary    network=green\n    Start VMs\n"
        "    Wait Until VMs Are Ready    within=5 min\n",
        'network "green" does not exist: there is no NAD */green; networks of this suite: "blue"',
    ),
    "unknown NIC": (
        "    Create Network    blue    on=bridge\n    Define VM    web\n"
        + ADD_NIC
        + "    Hot Unplug NIC    web    nic=third\n",
        "VM */web has no NIC \"third\"; it has: ['default', 'secondary']",
    ),
    "unknown VM": (
        "    Define VM    web\n    Stop VM    wbe\n",
        'VM "wbe" is not defined in this suite; defined: web; see `Define VM`',
    ),
    "VM not running": (
        "    Create Network    blue    on=bridge\n    Define VM    web\n"
        + ADD_NIC
        + "    Change VM Network    web    nic=secondary    network=blue\n",
        "VM */web is not running (status not created, *call `Start VMs` and `Wait Until VMs Are Ready` first",
    ),
}


NO_NAMESPACE = "no test namespace is open; call `Open Test Namespace` first"
TOO_EARLY = ["Define VM    web", "Run In Guest    web    true", "Stop VM    web"]


@dataclass(frozen=True)
class Misused:
    """One run, a suite for each misuse, and what it created."""

    run: RobotRun
    namespaces: list[str]
    vms: list[Object]


@pytest.fixture(scope="module")
def misused(kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory) -> Misused:
    """The suites have no teardown: what they open is closed for them."""
    api, vms, namespaces = Api(kubeconfig), "/apis/kubevirt.io/v1/virtualmachines", "/api/v1/namespaces"
    folder = tmp_path_factory.mktemp("misuses")
    bodies = {name: "    Open Test Namespace\n" + steps for name, (steps, _) in MISUSES.items()}
    bodies |= {step: f"    {step}\n" for step in TOO_EARLY}
    (folder / "suites").mkdir()
    for number, (name, steps) in enumerate(bodies.items()):
        text = IMPORTS.format(variables=ROOT / "variables" / "defaults.yaml", name=name.replace("    ", " "))
        (folder / "suites" / f"{number}.robot").write_text(text + steps)
    since = {path: api.resource_version(path) for path in (vms, namespaces)}
    run = run_robot(folder / "results", "--variable", f"KUBECONFIG:{kubeconfig}", suites=folder / "suites", timeout=240)
    created = [str(item["metadata"]["name"]) for item in api.added_since(namespaces, since[namespaces])]
    return Misused(run, created, api.added_since(vms, since[vms]))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("misuse", MISUSES)
def test_a_misused_keyword_is_one_test_error_at_once(misused: Misused, misuse: str) -> None:
    """It names the argument, what was expected and what there is; no VM is created, and no boot is waited for."""
    outcome = misused.run.outcomes[misuse]
    assert_misused(outcome, MISUSES[misuse][1])
    assert outcome.seconds < 30
    assert misused.vms == []
    assert misused.run.judgement.exit == Exit.TEST_ERROR


@pytest.mark.timeout(300)
@pytest.mark.parametrize("step", TOO_EARLY)
def test_a_keyword_before_there_is_a_namespace_is_a_test_error(misused: Misused, step: str) -> None:
    assert_misused(misused.run.outcomes[step.replace("    ", " ")], NO_NAMESPACE)
    assert len(misused.namespaces) == len(MISUSES), "one for each suite that opened one"


def assert_misused(outcome: Outcome, said: str) -> None:
    """The whole message of the test; ``*`` stands for anything."""
    pattern = re.escape(f"TEST ERROR: {said}").replace(r"\*", ".*")
    assert re.match(pattern, outcome.message), outcome.message
    assert "\n" not in outcome.message


def test_a_cluster_with_one_node_only(tmp_path: Path) -> None:
    with embedded_cluster(tmp_path, "--nodes", "1") as kubeconfig:
        since = Api(kubeconfig).resource_version("/api/v1/namespaces")
        run = run_robot(tmp_path / "results", "--variable", f"KUBECONFIG:{kubeconfig}")
        assert_refused(run, "one node only", "embedded-1", "two schedulable nodes or more", "add or uncordon nodes")
        assert_nothing_created(kubeconfig, since)
