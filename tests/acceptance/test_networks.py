# SPDX-License-Identifier: Apache-2.0
"""Networks of every kind, on whole runs: they carry the tests, and nothing of them stays, whatever process dies."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from testplan.gate import Exit
from testplan.results import Verdict
from tests.embedded import ROOT, embedded_cluster, robot_command, run_robot

from .cluster import Api, Object

POLICIES = "/apis/nmstate.io/v1/nodenetworkconfigurationpolicies"
STATES = "/apis/nmstate.io/v1beta1/nodenetworkstates"
CLUSTER_NETWORKS = "/apis/k8s.ovn.org/v1/clusteruserdefinednetworks"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
RUN_LABEL = "kubevirt-nad-tests/run"
PROFILES = ROOT / "variables" / "profiles"
PATIENCE = 90.0
UNTOUCHED = ({"br1", "br2"}, {""})

DELETE_LEFTOVERS = """\
*** Settings ***
Library           KubeVirtLibrary
Variables         {variables}
Suite Teardown    Close Cluster


*** Test Cases ***
Delete What Aborted Runs Left
    ${{names}}    Delete Orphaned Resources
    Should Not Be Empty    ${{names}}
"""

pytestmark = pytest.mark.timeout(400)


def left(api: Api) -> list[str]:
    """Names of what is on the cluster of any run, besides what is in its namespaces."""
    found: list[Object] = []
    for path in (POLICIES, CLUSTER_NETWORKS, LEASES, "/api/v1/namespaces"):
        found += api.items(path, labelSelector=RUN_LABEL)
    return [str(item["metadata"]["name"]) for item in found]


def bridges_and_masters(api: Api) -> tuple[set[str], set[str]]:
    """Linux bridges that NMState reports, and which nodes the spare NICs belong to."""
    interfaces = [entry for state in api.items(STATES) for entry in state["status"]["currentState"]["interfaces"]]
    bridges = {str(entry["name"]) for entry in interfaces if entry["type"] == "linux-bridge"}
    return bridges, {str(entry.get("controller") or "") for entry in interfaces if entry["name"] in ("ens4", "ens5")}


@pytest.mark.nightly
def test_networks_that_nmstate_and_ovn_make_are_taken_away_by_the_run_or_the_next_one(tmp_path: Path) -> None:
    with embedded_cluster(tmp_path, "--platform", "openshift") as kubeconfig:
        api = Api(kubeconfig)
        variables = ("--variable", f"KUBECONFIG:{kubeconfig}")
        profile = ("--variablefile", str(PROFILES / "embedded-openshift.yaml"))
        run = run_robot(tmp_path / "whole", "--include", "nad-01ORnad-15", *variables, *profile, timeout=240)
        assert run.judgement.exit == Exit.PROVEN, run.printed
        assert left(api) == []
        assert bridges_and_masters(api) == UNTOUCHED

        kill_robot(api, tmp_path / "killed", "--include", "nad-01", *variables, *profile)
        kill_robot(api, tmp_path / "killed too", "--include", "nad-15", *variables, *profile)
        assert bridges_and_masters(api) != UNTOUCHED
        assert len(api.items(CLUSTER_NETWORKS)) > 0
        suite = tmp_path / "leftovers.robot"
        suite.write_text(DELETE_LEFTOVERS.format(variables=ROOT / "variables" / "defaults.yaml"))
        cleaned = run_robot(tmp_path / "cleaned", *variables, suites=suite, timeout=240)
        assert [outcome.verdict for outcome in cleaned.outcomes.values()] == [Verdict.PASS], cleaned.printed
        assert left(api) == []
        assert bridges_and_masters(api) == UNTOUCHED


def kill_robot(api: Api, results: Path, *options: str) -> None:
    """Kill a run as soon as its guests are started."""
    debug = results / "debug.txt"
    command = robot_command(results, "--debugfile", str(debug), *options)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT) as robot:
        deadline = time.monotonic() + PATIENCE
        while not (debug.exists() and ".Wait Until VMs Are Ready" in debug.read_text()):
            assert time.monotonic() < deadline and robot.poll() is None, "the guests were never started"
            time.sleep(0.02)
        robot.kill()
    assert left(api)


@pytest.mark.nightly
def test_guests_on_node_local_bridges_are_kept_together(tmp_path: Path) -> None:
    profile = ("--variablefile", str(PROFILES / "kubernetes-node-local.yaml"))
    run = run_robot(tmp_path, "--include", "nad-01", *profile, cluster=(), timeout=240)
    assert run.judgement.exit == Exit.PROVEN, run.printed
