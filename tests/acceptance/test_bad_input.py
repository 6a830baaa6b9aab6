"""Bad input: one clear error that names the value and the remedy, before anything is created."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from testplan.gate import Exit
from tests.embedded import RobotRun, embedded_cluster, run_robot

from .cluster import Api

IMPORTS = """\
*** Settings ***
Library           KubeVirtLibrary
Library           GuestLibrary
Variables         {variables}
Suite Setup       Open Cluster
Suite Teardown    Close Cluster


*** Test Cases ***
Bad Input
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


@pytest.mark.parametrize(
    ("steps", "fragments"),
    [
        (
            "    Open Test Namespace\n    Create Bridge Network    New_Network    bridge=br1    vlan=100",
            ['network "New_Network"', "DNS name"],
        ),
        (
            "    Open Test Namespace\n    Define VM    web\n    Add NIC    web    secondary    network=blue    "
            "addresses=10.0.0.1/24\n    Change VM Network    web    nic=secondary    network=green",
            ["VM ", "/web is not running", "call `Start VMs`"],
        ),
        ("    Change VM Network    web    nic=secondary    network=green", ['VM "web" is not defined', "`Define VM`"]),
    ],
    ids=["NAD name", "VM not running", "VM not defined"],
)
def test_a_keyword_with_a_bad_argument(kubeconfig: Path, tmp_path: Path, steps: str, fragments: list[str]) -> None:
    variables = Path(__file__).resolve().parents[2] / "variables" / "defaults.yaml"
    suite = tmp_path / "bad_input.robot"
    suite.write_text(IMPORTS.format(variables=variables) + steps + "\n    [Teardown]    Close Test Namespace\n")
    api = Api(kubeconfig)
    kinds = ("/apis/k8s.cni.cncf.io/v1/network-attachment-definitions", "/apis/kubevirt.io/v1/virtualmachines")
    since = {path: api.resource_version(path) for path in kinds}
    run = run_robot(tmp_path / "results", "--variable", f"KUBECONFIG:{kubeconfig}", suites=suite)
    assert_refused(run, *fragments)
    assert [item for path, version in since.items() for item in api.added_since(path, version)] == []


def test_a_cluster_with_one_node_only(tmp_path: Path) -> None:
    with embedded_cluster(tmp_path, "--nodes", "1") as kubeconfig:
        since = Api(kubeconfig).resource_version("/api/v1/namespaces")
        run = run_robot(tmp_path / "results", "--variable", f"KUBECONFIG:{kubeconfig}")
        assert_refused(run, "one node only", "embedded-1", "two schedulable nodes or more", "add or uncordon nodes")
        assert_nothing_created(kubeconfig, since)
