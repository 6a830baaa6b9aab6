# SPDX-License-Identifier: Apache-2.0
"""A run that dies while it has switched a setting of the cluster: the next one puts it back."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.embedded import ROOT, embedded_cluster, robot_command, run_robot

from .cluster import Api, Object

KUBEVIRTS = "/apis/kubevirt.io/v1/kubevirts"
OWNERS = {"kubernetes": KUBEVIRTS, "openshift": "/apis/hco.kubevirt.io/v1beta1/hyperconvergeds"}
NOTE = "kubevirt-nad-tests/former-settings"
PATIENCE = 60.0

pytestmark = [pytest.mark.timeout(240), pytest.mark.nightly]


def only(api: Api, path: str) -> Object:
    (found,) = api.items(path)
    return found


def note(api: Api, platform: str) -> str | None:
    annotations = only(api, OWNERS[platform])["metadata"].get("annotations", {})
    return str(annotations[NOTE]) if NOTE in annotations else None


def state(api: Api, platform: str) -> str:
    """What the owner asks for, and what KubeVirt has."""
    owner, kubevirt = only(api, OWNERS[platform]), only(api, KUBEVIRTS)
    kept = {key: text for key, text in owner["metadata"].get("annotations", {}).items() if key != NOTE}
    return json.dumps([owner["spec"], kept, kubevirt["spec"]], sort_keys=True)


@pytest.mark.parametrize("platform", OWNERS)
def test_setting_of_a_killed_run_is_put_back_by_the_next_one(tmp_path: Path, platform: str) -> None:
    with embedded_cluster(tmp_path, "--platform", platform) as kubeconfig:
        api = Api(kubeconfig)
        before = state(api, platform)
        variables = ("--variable", f"KUBECONFIG:{kubeconfig}", "--variable", "ALLOW_DISRUPTIVE:yes")
        kill_robot_with_a_note(api, platform, tmp_path / "killed", *variables)
        assert only(api, KUBEVIRTS)["spec"]["configuration"]["vmRolloutStrategy"] == "Stage"
        assert state(api, platform) != before
        run = run_robot(tmp_path / "next", "--include", "nad-25", "--variable", f"KUBECONFIG:{kubeconfig}")
        assert run.judgement.exit == Exit.PROVEN, run.printed
        assert "Restored: vmRolloutStrategy of the cluster from Stage to LiveUpdate" in run.printed
        assert note(api, platform) is None
        assert state(api, platform) == before


def kill_robot_with_a_note(api: Api, platform: str, results: Path, *variables: str) -> None:
    """Kill a run of the suite of Stage as soon as its guests are started."""
    debug = results / "debug.txt"
    command = robot_command(results, "--debugfile", str(debug), "--include", "nad-24", *variables)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT) as robot:
        deadline = time.monotonic() + PATIENCE
        while not (debug.exists() and ".Wait Until VMs Are Ready" in debug.read_text()):
            assert time.monotonic() < deadline and robot.poll() is None, "the guests were never started"
            time.sleep(0.02)
        robot.kill()
    assert note(api, platform) is not None
