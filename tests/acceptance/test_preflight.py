# SPDX-License-Identifier: Apache-2.0
"""The preflight on a whole cluster: what it shows, what it leaves, and what it says to a user with few rights."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from robot.api import ExecutionResult

from testplan.gate import Exit
from tests.embedded import SUITES, embedded_cluster, run_robot

from .cluster import Api, plain_kubeconfig

STORED = (
    "/api/v1/namespaces",
    "/api/v1/secrets",
    "/apis/coordination.k8s.io/v1/leases",
    "/apis/kubevirt.io/v1/virtualmachines",
)
PREFLIGHT = SUITES / "preflight"

pytestmark = pytest.mark.timeout(120)


def metadata(output: Path) -> dict[str, str]:
    return {str(name): str(text) for name, text in ExecutionResult(output).suite.suites[0].metadata.items()}


@pytest.mark.parametrize("platform", ["kubernetes", "openshift"])
def test_everything_is_shown_and_nothing_is_left(tmp_path: Path, platform: str) -> None:
    with embedded_cluster(tmp_path, "--platform", platform) as kubeconfig:
        api = Api(kubeconfig)
        since = {path: api.resource_version(path) for path in STORED}
        began = time.monotonic()
        run = run_robot(tmp_path / "results", "--variable", f"KUBECONFIG:{kubeconfig}", suites=PREFLIGHT)
        assert time.monotonic() - began < 30
        assert run.judgement.exit == Exit.PROVEN, run.printed
        assert [item for path, version in since.items() for item in api.added_since(path, version)] == []
    shown = metadata(tmp_path / "results" / "output.xml")
    assert shown["kubevirt"].startswith("yes: v1.9.0+embedded, Deployed; ")
    assert shown["nodes"].endswith("they can move between embedded-1 and embedded-2")
    assert shown["foreign-nad"].startswith("yes: " if platform == "kubernetes" else "no: ")
    assert shown[
        "settings-switch"
    ] == "no: variable ALLOW_DISRUPTIVE is no; remedy: set variable ALLOW_DISRUPTIVE to " + (
        "yes and use a kubeconfig that may change KubeVirt's settings"
    )


def test_user_with_few_rights_reads_which_are_missing(tmp_path: Path) -> None:
    with embedded_cluster(tmp_path) as kubeconfig:
        variable = f"KUBECONFIG:{plain_kubeconfig(kubeconfig, tmp_path / 'plain')}"
        run = run_robot(tmp_path / "results", "--variable", variable, suites=PREFLIGHT)
    red = {name: outcome.message for name, outcome in run.outcomes.items() if str(outcome.verdict) != "PASS"}
    message = red.pop("User Has The Permissions That Every Suite Needs")
    assert set(red) == {
        "Two Nodes Can Take Over Each Other's VMs",
        "Cluster With One Node Is Refused",
        "Cluster Whose Other Nodes Are Cordoned Is Refused",
    }
    assert all(skipped.startswith("capability node-list is not there: unknown: no right") for skipped in red.values())
    assert message.startswith("LAB ERROR: ")
    assert (
        'system:serviceaccount:default:stranger has no right to "create" on namespaces (each suite has its own)'
        in message
    )
    assert "an administrator grants it" in message
    assert run.judgement.exit == Exit.LAB_ERROR
    shown = metadata(tmp_path / "results" / "output.xml")
    assert shown["nodes"].startswith("unknown: no right to list them")
    assert shown["rwo-storage"].startswith("unknown: StorageClasses are unknown (forbidden); remedy: ")
