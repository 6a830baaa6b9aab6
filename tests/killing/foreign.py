# SPDX-License-Identifier: Apache-2.0
"""Objects of others, many of them much like those of runs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, cycle, islice

from tests.acceptance.cluster import Api, Object
from tests.killing.state import Key

GIVEN = "team-home"
"""A namespace that an administrator gives to runs, and in which others have objects, too."""

_NAMESPACES = ("nad-swap", "nad-swap-k3x9ab", "nad-swap-k3x9ab-1", "nad-swap-k3x9ab-1-1", "kubevirt-nad-tests")
_NETWORKS = ("old-network", "new-network", "old-network-k3x9ab-1", "blue", "new-network-k3x9ab-1-copy")
_VMS = ("vm", "old-peer", "vm-k3x9ab-1", "new-peer-k3x9ab-2")
_RUN, _PLACE = "kubevirt-nad-tests/run", "kubevirt-nad-tests/created-as"
_MARKS: tuple[Object, ...] = (
    {},
    {"labels": {_RUN: "k3x9ab"}},
    {"labels": {_RUN: "k3x9ab", "kubevirt-nad-tests/lease": "vlan"}, "annotations": {_PLACE: "nad-swap-k3x9ab-7/vm"}},
    {"labels": {"kubevirt-nad-tests/runs": "k3x9ab"}},
    {"labels": {"kubevirt-nad-test/run": "k3x9ab", "app": "kubevirt-nad-tests"}},
    {"labels": {_RUN: ""}, "annotations": {_PLACE: "default/vm"}},
)


def plant(api: Api, number: int) -> set[Key]:
    """Create ``number`` objects beside the given namespace; returns their keys."""
    api.create("/api/v1/namespaces", {"metadata": {"name": GIVEN}})
    marks = cycle(_MARKS)
    planted = set()
    for root, what, namespace, body in islice(_objects(), number):
        place = f"{root}/namespaces/{namespace}" if namespace else root
        body["metadata"] |= {key: dict(value) for key, value in next(marks).items()}
        resource = what.partition(".")[0]
        made = api.create(f"{place}/{resource}", body)
        assert made["kind"] != "Status", f"{what} {body['metadata']['name']} was not made: {made['message']}"
        planted.add((what, namespace, str(body["metadata"]["name"])))
    return planted


def _objects() -> Iterator[tuple[str, str, str, Object]]:
    for name in _NAMESPACES:
        yield "/api/v1", "namespaces", "", {"metadata": {"name": name}}
    places = ("default", GIVEN, *_NAMESPACES)
    for turn in count():
        end = f"-{turn}" if turn else ""
        for place in places:
            for name in _NETWORKS:
                yield _object("/apis/k8s.cni.cncf.io/v1", "network-attachment-definitions", place, name + end, _NAD)
            for name in _VMS:
                yield _object("/apis/kubevirt.io/v1", "virtualmachines", place, name + end, _VM)
                yield _object("/api/v1", "secrets", place, f"{name}{end}-cloud-init", {"stringData": {"userdata": "x"}})
            yield _object("/api/v1", "configmaps", place, f"kubevirt-nad-tests{end}", {"data": {"run": "k3x9ab"}})
            yield _object("/api/v1", "serviceaccounts", place, f"owner-k3x9ab-1{end}", {})
            for name in ("kubevirt-nad-tests-run", "kubevirt-nad-tests-br1-4000", "kubevirt-nad-tests-exclusive-2"):
                yield _object("/apis/coordination.k8s.io/v1", "leases", place, name + end, _LEASE)


def _object(root: str, resource: str, namespace: str, name: str, body: Object) -> tuple[str, str, str, Object]:
    group = root.split("/")[2] if root.startswith("/apis/") else ""
    metadata = {"name": name, "namespace": namespace}
    return root, f"{resource}.{group}".rstrip("."), namespace, {**body, "metadata": metadata}


_NAD = {
    "apiVersion": "k8s.cni.cncf.io/v1",
    "kind": "NetworkAttachmentDefinition",
    "spec": {"config": '{"cniVersion": "0.3.1", "name": "n", "type": "bridge", "bridge": "br1", "vlan": 4000}'},
}
_LEASE = {"spec": {"holderIdentity": "k3x9ab", "leaseDurationSeconds": 1, "renewTime": "2020-01-01T00:00:00.000000Z"}}
_VM = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "spec": {
        "runStrategy": "Halted",
        "template": {
            "metadata": {"labels": {_RUN: "k3x9ab"}},
            "spec": {"domain": {"devices": {}, "resources": {"requests": {"memory": "64Mi"}}}},
        },
    },
}
