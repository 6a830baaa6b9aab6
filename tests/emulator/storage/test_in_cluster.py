# SPDX-License-Identifier: Apache-2.0
"""Disks in a whole cluster, through the Python client: who shares them can migrate, who does not cannot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client as typed_client
from kubernetes import config as typed_config
from kubernetes import watch as typed_watch

from emulator.dataplane.userns import check_machine

# The library's types describe objects; these tests send and read plain JSON through it.
client: Any = typed_client
config: Any = typed_config
watch: Any = typed_watch
ROOT = Path(__file__).resolve().parents[3]
LACKING = [str(finding) for finding in check_machine() if finding.fatal]
pytestmark = pytest.mark.skipif(bool(LACKING), reason="; ".join(LACKING))
VMIS = ("kubevirt.io", "v1", "default", "virtualmachineinstances")
VMS = ("kubevirt.io", "v1", "default", "virtualmachines")


@pytest.fixture(scope="module")
def objects() -> Iterator[Any]:
    words = [sys.executable, "-m", "emulator", "up", "--speed", "10"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as supervisor:
        try:
            assert supervisor.stdout is not None
            line = supervisor.stdout.readline()
            assert line.startswith("export KUBECONFIG="), supervisor.stderr.read() if supervisor.stderr else ""
            with config.new_client_from_config(line.strip().partition("=")[2]) as connection:
                yield client.CustomObjectsApi(connection)
        finally:
            supervisor.terminate()
            supervisor.wait(15)


def vm(name: str, mode: str) -> dict[str, Any]:
    wished = {"accessModes": [mode], "resources": {"requests": {"storage": "64Mi"}}}
    template = {"metadata": {"name": f"{name}-disk"}, "spec": {"source": {"blank": {}}, "storage": wished}}
    spec = {
        "domain": {"devices": {"disks": [{"name": "data", "disk": {}}], "interfaces": [_CARD]}, "memory": _MEMORY},
        "networks": [{"name": "default", "pod": {}}],
        "volumes": [{"name": "data", "dataVolume": {"name": f"{name}-disk"}}],
    }
    whole = {"runStrategy": "Always", "dataVolumeTemplates": [template], "template": {"spec": spec}}
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": name}, "spec": whole}


_CARD = {"name": "default", "masquerade": {}}
_MEMORY = {"guest": "1Gi"}


def verdict(objects: Any, name: str) -> dict[str, str]:
    """The VMI's condition LiveMigratable, as soon as it has one."""
    listing = objects.list_namespaced_custom_object
    events = watch.Watch().stream(listing, *VMIS, field_selector=f"metadata.name={name}", timeout_seconds=30)
    for event in events:
        for condition in event["object"].get("status", {}).get("conditions") or []:
            if condition["type"] == "LiveMigratable":
                return dict(condition)
    raise AssertionError(f"VMI {name} has no verdict")


def test_disk_of_one_node_cannot_migrate(objects: Any) -> None:
    objects.create_namespaced_custom_object(*VMS, vm("alone", "ReadWriteOnce"))
    found = verdict(objects, "alone")
    assert (found["status"], found["reason"]) == ("False", "DisksNotLiveMigratable")
    assert found["message"] == (
        "cannot migrate VMI: PVC alone-disk is not shared, live migration requires that all PVCs must be shared "
        "(using ReadWriteMany access mode)"
    )


def test_shared_disk_can_migrate(objects: Any) -> None:
    objects.create_namespaced_custom_object(*VMS, vm("shared", "ReadWriteMany"))
    assert verdict(objects, "shared")["status"] == "True"
