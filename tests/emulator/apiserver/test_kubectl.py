# SPDX-License-Identifier: Apache-2.0
"""The unmodified kubectl against the API server."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from emulator.apiserver.users import ADMIN

from .harness import LiveApi, nad, pod, virtual_machine

VMS = "virtualmachines.kubevirt.io"
VMIS = "virtualmachineinstances.kubevirt.io"
MIGRATIONS = "virtualmachineinstancemigrations.kubevirt.io"
NADS = "network-attachment-definitions.k8s.cni.cncf.io"


def instance(name: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True"}, {"type": "LiveMigratable", "status": "True"}]
    return {
        "metadata": {"name": name, "namespace": "demo"},
        "spec": {"domain": {}},
        "status": {
            "phase": "Running",
            "nodeName": "embedded-1",
            "interfaces": [{"name": "default", "ipAddress": "10.244.0.5"}],
            "conditions": conditions,
        },
    }


def running_pod_status() -> dict[str, Any]:
    started = {"name": "c", "ready": True, "restartCount": 0, "state": {"running": {}}, "image": "x", "imageID": "x"}
    return {"phase": "Running", "podIP": "10.244.0.5", "containerStatuses": [started]}


@pytest.fixture(scope="module")
def demo(live: LiveApi) -> Iterator[LiveApi]:
    """A VM with its VMI, a migration, a NAD, a launcher pod, a node and an event."""

    async def status(resource: str, name: str, value: dict[str, Any]) -> None:
        client = live.api.server.client(ADMIN)
        await client.patch(resource, name, "demo", {"status": value}, subresource="status")

    live.create(VMS, virtual_machine("vm1"))
    ready = {"type": "Ready", "status": "True"}
    live.run(status(VMS, "vm1", {"printableStatus": "Running", "ready": True, "conditions": [ready]}))
    vmi = live.create(VMIS, instance("vm1"))
    live.create(MIGRATIONS, {"metadata": {"name": "move", "namespace": "demo"}, "spec": {"vmiName": "vm1"}})
    live.run(status(MIGRATIONS, "move", {"phase": "Succeeded"}))
    live.create(NADS, nad("nad-a"))
    launcher = pod("virt-launcher-vm1-abcde", node="embedded-1")
    launcher["spec"]["readinessGates"] = [{"conditionType": "kubevirt.io/virtual-machine-unpaused"}]
    live.create("pods", launcher)
    live.run(status("pods", "virt-launcher-vm1-abcde", running_pod_status()))
    node_status = {"conditions": [ready], "nodeInfo": {"kubeletVersion": "v1.36.0+embedded"}}
    labels = {"node-role.kubernetes.io/worker": ""}
    live.create("nodes", {"metadata": {"name": "embedded-1", "labels": labels}, "status": node_status})
    live.create(
        "events",
        {
            "metadata": {"name": "vm1.1", "namespace": "demo"},
            "involvedObject": {
                "apiVersion": "kubevirt.io/v1",
                "kind": "VirtualMachineInstance",
                "name": "vm1",
                "namespace": "demo",
                "uid": vmi["metadata"]["uid"],
            },
            "reason": "Migrated",
            "message": "The VirtualMachineInstance migrated to node embedded-2.",
            "type": "Normal",
            "source": {"component": "virt-handler", "host": "embedded-1"},
            "firstTimestamp": "2026-01-01T00:00:00Z",
            "lastTimestamp": "2026-01-01T00:00:00Z",
            "count": 1,
        },
    )
    yield live


def rows(text: str) -> list[list[str]]:
    """A table's cells; columns are at least two blanks apart."""
    return [re.split(r" {2,}", line.strip()) for line in text.strip().splitlines()]


@pytest.mark.parametrize(
    ("arguments", "header", "row"),
    [
        ("vm", "NAME AGE STATUS READY", "vm1 * Running True"),
        ("vmi", "NAME AGE PHASE IP NODENAME READY", "vm1 * Running 10.244.0.5 embedded-1 True"),
        ("vmim", "NAME PHASE VMI", "move Succeeded vm1"),
        ("net-attach-def", "NAME AGE", "nad-a *"),
        ("pods", "NAME READY STATUS RESTARTS AGE", "virt-launcher-vm1-abcde 1/1 Running 0 *"),
        ("nodes", "NAME STATUS ROLES AGE VERSION", "embedded-1 Ready worker * v1.36.0+embedded"),
        ("ns/demo", "NAME STATUS AGE", "demo Active *"),
    ],
)
def test_get_prints_the_columns_of_a_real_cluster(demo: LiveApi, arguments: str, header: str, row: str) -> None:
    table = rows(demo.kubectl("get", arguments))
    assert table[0] == header.split()
    assert [want if want == "*" else cell for want, cell in zip(row.split(), table[1], strict=True)] == row.split()


def test_get_wide_adds_columns(demo: LiveApi) -> None:
    wide = rows(demo.kubectl("get", "vmi", "-o", "wide"))
    assert wide[0][-2:] == ["LIVE-MIGRATABLE", "PAUSED"]
    assert wide[1][-1] == "True"
    pods = rows(demo.kubectl("get", "pods", "-o", "wide"))
    assert pods[0][-4:] == ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]
    assert pods[1][-4:] == ["10.244.0.5", "embedded-1", "<none>", "0/1"]


def test_get_in_other_forms(demo: LiveApi) -> None:
    assert json.loads(demo.kubectl("get", "vm", "vm1", "-o", "json"))["kind"] == "VirtualMachine"
    assert yaml.safe_load(demo.kubectl("get", "vm", "vm1", "-o", "yaml"))["spec"]["runStrategy"] == "Halted"
    assert demo.kubectl("get", "vm,vmi,vmim", "-o", "name").split() == [
        "virtualmachine.kubevirt.io/vm1",
        "virtualmachineinstance.kubevirt.io/vm1",
        "virtualmachineinstancemigration.kubevirt.io/move",
    ]
    assert rows(demo.kubectl("get", "vm", "-A"))[0] == ["NAMESPACE", "NAME", "AGE", "STATUS", "READY"]
    path = "{.spec.template.spec.networks[1].multus.networkName}"
    assert demo.kubectl("get", "vm", "vm1", "-o", f"jsonpath={path}") == "nad-a"
    missing = demo.kubectl("get", "vm", "nope", fails=True)
    assert missing == 'Error from server (NotFound): virtualmachines.kubevirt.io "nope" not found\n'


def test_events(demo: LiveApi) -> None:
    table = rows(demo.kubectl("get", "events"))
    assert table[0] == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert table[1][2:4] == ["Migrated", "virtualmachineinstance/vm1"]
    assert "Migrated" in demo.kubectl("events", "--for", "vmi/vm1")


@pytest.mark.parametrize("what", ["vm/vm1", "vmi/vm1", "vmim/move", "net-attach-def/nad-a", "pod", "node", "ns/demo"])
def test_describe(demo: LiveApi, what: str) -> None:
    text = demo.kubectl("describe", what)
    assert re.search(r"^Name: +\S", text, re.MULTILINE)
    if what == "vmi/vm1":
        assert "Migrated" in text


def test_patch_in_all_forms(demo: LiveApi) -> None:
    demo.create(VMS, virtual_machine("patched"))
    path = "/spec/template/spec/networks/1/multus/networkName"
    change = json.dumps([{"op": "replace", "path": path, "value": "nad-b"}])
    assert demo.kubectl("patch", "vm", "patched", "--type=json", "-p", change).endswith(" patched\n")
    assert "(no change)" in demo.kubectl("patch", "vm", "patched", "--type=json", "-p", change)
    demo.kubectl("patch", "vm", "patched", "--type=merge", "-p", '{"spec":{"runStrategy":"Always"}}')
    assert "is not supported" in demo.kubectl("patch", "vm", "patched", "-p", "{}", fails=True)
    demo.kubectl("label", "vm", "patched", "a=b")
    demo.kubectl("annotate", "vm", "patched", "c=d")
    found = json.loads(demo.kubectl("get", "vm", "patched", "-o", "json"))
    assert (found["metadata"]["labels"], found["metadata"]["annotations"]) == ({"a": "b"}, {"c": "d"})
    assert found["metadata"]["generation"] == 3
    assert (
        demo.kubectl("delete", "vm", "patched") == 'virtualmachine.kubevirt.io "patched" deleted from demo namespace\n'
    )


def test_wait(demo: LiveApi) -> None:
    assert "condition met" in demo.kubectl("wait", "vm/vm1", "--for=condition=Ready", "--timeout=60s")
    bucket = demo.api.server.core.store.bucket(VMS)
    earlier = tuple(bucket.listeners)
    waiting = demo.kubectl_process("wait", "vm/vm1", "--for=jsonpath={.status.printableStatus}=Migrating")

    async def migrate() -> None:
        client = demo.api.server.client(ADMIN)
        await client.patch(VMS, "vm1", "demo", {"status": {"printableStatus": "Migrating"}}, subresource="status")
        await client.patch(VMS, "vm1", "demo", {"status": {"printableStatus": "Running"}}, subresource="status")

    demo.run(_followed(bucket, earlier))
    demo.run(migrate())
    out, errors = waiting.communicate(timeout=60)
    assert (out, errors) == ("virtualmachine.kubevirt.io/vm1 condition met\n", "")
    timed_out = demo.kubectl("wait", "vm/vm1", "--for=condition=Paused", "--timeout=1s", fails=True)
    assert timed_out == "error: timed out waiting for the condition on virtualmachines/vm1\n"


async def _followed(bucket: Any, earlier: tuple[Any, ...]) -> None:
    """Returns when a client watches the bucket beside the earlier ones, of which some may not be gone yet."""
    watched = asyncio.Event()

    class Noticed(list[Any]):
        def append(self, item: Any, /) -> None:
            super().append(item)
            watched.set()

    if all(one in earlier for one in bucket.listeners):
        bucket.listeners = Noticed(bucket.listeners)
        await asyncio.wait_for(watched.wait(), 60)


def test_watch_follows_changes(demo: LiveApi) -> None:
    watching = demo.kubectl_process("get", "net-attach-def", "-w", "--output-watch-events")
    assert watching.stdout is not None
    try:
        assert watching.stdout.readline().split() == ["EVENT", "NAME", "AGE"]
        assert watching.stdout.readline().split()[:2] == ["ADDED", "nad-a"]
        demo.create(NADS, nad("late"))
        assert watching.stdout.readline().split()[:2] == ["ADDED", "late"]
        demo.kubectl("delete", "net-attach-def", "late")
        assert watching.stdout.readline().split()[:2] == ["DELETED", "late"]
    finally:
        watching.kill()
        watching.communicate()


def test_delete_waits_for_finalizers(demo: LiveApi) -> None:
    demo.create(NADS, nad("held", finalizers=["example.com/hold"]))
    deleting = demo.kubectl_process("delete", "net-attach-def", "held")
    assert deleting.stdout is not None
    assert deleting.stdout.readline().startswith("networkattachmentdefinition.k8s.cni.cncf.io")
    assert deleting.poll() is None
    demo.kubectl("patch", "net-attach-def", "held", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    deleting.communicate(timeout=60)
    assert deleting.returncode == 0


def test_apply_on_the_client_and_on_the_server(demo: LiveApi) -> None:
    vm = virtual_machine("applied")
    text = json.dumps(vm)
    assert demo.kubectl("apply", "-f", "-", stdin=text) == "virtualmachine.kubevirt.io/applied created\n"
    assert demo.kubectl("apply", "-f", "-", stdin=text) == "virtualmachine.kubevirt.io/applied unchanged\n"
    vm["spec"]["template"]["spec"]["networks"][1]["multus"]["networkName"] = "nad-b"
    assert "+          networkName: nad-b" in _diff(demo, json.dumps(vm))
    changed = demo.kubectl("apply", "-f", "-", stdin=json.dumps(vm))
    assert changed == "virtualmachine.kubevirt.io/applied configured\n"
    refused = demo.kubectl("apply", "--server-side", "-f", "-", stdin=text, fails=True)
    assert "conflict" in refused
    forced = demo.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)
    assert forced == "virtualmachine.kubevirt.io/applied serverside-applied\n"
    dry = demo.kubectl("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(vm))
    assert dry.endswith("(server dry run)\n")
    demo.kubectl("delete", "-f", "-", stdin=text)


def _diff(demo: LiveApi, text: str) -> str:
    process = demo.kubectl_process("diff", "-f", "-", stdin=subprocess.PIPE)
    out, errors = process.communicate(text, timeout=60)
    assert process.returncode == 1, errors
    return out


def test_create_sends_protobuf(demo: LiveApi) -> None:
    demo.kubectl("create", "namespace", "other")
    demo.kubectl("create", "configmap", "c", "--from-literal=a=ä", "-n", "other")
    demo.kubectl("create", "secret", "generic", "s", "--from-literal=password=x", "-n", "other")
    assert demo.kubectl("get", "cm", "c", "-n", "other", "-o", "jsonpath={.data.a}") == "ä"
    assert demo.kubectl("get", "secret", "s", "-n", "other", "-o", "jsonpath={.data.password}") == "eA=="
    demo.kubectl("create", "quota", "q", "--hard=pods=3,requests.memory=2Gi", "--scopes=NotTerminating", "-n", "other")
    spec = json.loads(demo.kubectl("get", "quota", "q", "-n", "other", "-o", "jsonpath={.spec}"))
    assert spec == {"hard": {"pods": "3", "requests.memory": "2Gi"}, "scopes": ["NotTerminating"]}
    demo.kubectl("create", "pdb", "b", "--selector=a in (b,c),d=e", "--min-available=50%", "-n", "other")
    spec = json.loads(demo.kubectl("get", "pdb", "b", "-n", "other", "-o", "jsonpath={.spec}"))
    either = [{"key": "a", "operator": "In", "values": ["b", "c"]}]
    assert spec == {"minAvailable": "50%", "selector": {"matchLabels": {"d": "e"}, "matchExpressions": either}}
    demo.kubectl("create", "pdb", "none", "--selector=d=e", "--max-unavailable=0", "-n", "other")
    assert demo.kubectl("get", "pdb", "none", "-n", "other", "-o", "jsonpath={.spec.maxUnavailable}") == "0"
    again = demo.kubectl("create", "namespace", "other", fails=True)
    assert again == 'Error from server (AlreadyExists): namespaces "other" already exists\n'
    demo.kubectl("delete", "namespace", "other")
    assert "NotFound" in demo.kubectl("get", "namespace", "other", fails=True)


def test_rights(demo: LiveApi) -> None:
    assert demo.kubectl("auth", "can-i", "delete", "vm") == "yes\n"
    assert (
        demo.kubectl("auth", "can-i", "get", "vmi/console", "--as", "system:serviceaccount:demo:default", fails=True)
        == ""
    )
    denied = demo.kubectl_process("--context", "alice", "auth", "can-i", "create", "vmim")
    assert denied.communicate(timeout=60)[0] == "no\n"
    assert "alice" in demo.kubectl("--context", "alice", "auth", "whoami")
    refused = demo.kubectl("--context", "alice", "get", "vm", fails=True)
    assert refused.startswith("Error from server (Forbidden): virtualmachines.kubevirt.io is forbidden: User")


def test_discovery(demo: LiveApi) -> None:
    listed = demo.kubectl("api-resources", "--api-group=kubevirt.io", "-o", "name").split()
    assert {VMS, VMIS, MIGRATIONS, "kubevirts.kubevirt.io"} <= set(listed)
    assert "v1.36.0+embedded" in demo.kubectl("version")
    assert "KIND:       VirtualMachine" in demo.kubectl("explain", "vm")
    assert demo.kubectl("get", "--raw", "/readyz") == "ok"
