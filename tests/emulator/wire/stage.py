# SPDX-License-Identifier: Apache-2.0
"""The server that recorded exchanges are played on, and what they find there."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.emulator.apiserver.harness import pod, virtual_machine
from tests.emulator.controlplane.handler import Handler
from tests.emulator.controlplane.lab import Lab

from .player import Obj, Player

NAMESPACED = re.compile(r"(/api/v1|/apis/[^/]+/[^/]+)/namespaces/([^/]+)/([^/]+)")
MISSING = {"nope", "wire-nope"}
NADS = "network-attachment-definitions.k8s.cni.cncf.io"
VMS = "virtualmachines.kubevirt.io"
PATHS = {
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Pod": "/api/v1/namespaces/{}/pods",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "NetworkAttachmentDefinition": "/apis/k8s.cni.cncf.io/v1/namespaces/{}/network-attachment-definitions",
    "VirtualMachine": "/apis/kubevirt.io/v1/namespaces/{}/virtualmachines",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
}
# Controllers make these.
WRITTEN = ("VirtualMachineInstance", "VirtualMachineInstanceMigration", "KubeVirt")


@dataclass
class Stage:
    """The server that an area is played on."""

    lab: Lab
    player: Player
    handlers: list[Handler] = field(default_factory=list)

    async def make(self, *objects: Obj) -> Obj:
        """Creates objects; answers the last one."""
        made: Obj = {}
        for obj in objects:
            made = await self.player.make(PATHS[obj["kind"]].format(obj["metadata"]["namespace"]), obj)
        return made

    async def settled(self, resource: str, namespace: str, done: Callable[[dict[str, Obj]], bool]) -> None:
        """Waits until the objects of a namespace, by name, are so."""
        items, version = await self.lab.client.list(resource, namespace)
        found = {item["metadata"]["name"]: item for item in items}
        if done(found):
            return
        async for event, item in self.lab.client.watch(resource, namespace, since=version):
            found[item["metadata"]["name"]] = item
            if event == "DELETED":
                del found[item["metadata"]["name"]]
            if done(found):
                return


Act = Callable[[Stage], Awaitable[Any]]


@dataclass(frozen=True)
class Scene:
    """``there`` is made first; then, if ``guess``, what an answer shows without that an exchange has made it.

    ``before`` are acts by the number of the exchange that they come before; ``late`` the names of objects that are not
    there from the beginning, by such a number.
    """

    there: tuple[Obj, ...] = ()
    before: dict[str, Act] = field(default_factory=dict)
    late: dict[str, tuple[str, ...]] = field(default_factory=dict)
    guess: bool = True


def found_there(exchanges: list[Obj]) -> list[tuple[str, Obj]]:
    """The objects that an answer shows without that an exchange has made them, oldest first: where and what."""
    known: set[str] = set()
    found: list[tuple[int, str, Obj]] = []
    for exchange in exchanges:
        body, status = exchange["answer"].get("body"), exchange["answer"]["status"]
        place = NAMESPACED.match(urlsplit(exchange["url"]).path)
        if not isinstance(body, dict) or status not in (200, 201) or place is None or "metadata" not in body:
            continue
        if body["kind"].removesuffix("List") in WRITTEN:
            continue
        for obj in body.get("items", [body]):
            meta = obj["metadata"]
            if status == 200 and "uid" in meta and meta["uid"] not in known and meta["name"] != "kube-root-ca.crt":
                url = f"{place[1]}/namespaces/{meta['namespace']}/{place[3]}"
                found.append((int(meta["resourceVersion"]), url, bare(obj, body)))
            known.add(meta.get("uid", ""))
    return [(url, obj) for _, url, obj in sorted(found, key=lambda one: one[0])]


def bare(obj: Obj, listed: Obj) -> Obj:
    """As one creates it."""
    kept = ("name", "namespace", "labels", "annotations", "finalizers", "generateName")
    meta = {key: value for key, value in obj["metadata"].items() if key in kept}
    kind = {"kind": listed["kind"].removesuffix("List"), "apiVersion": listed["apiVersion"]}
    return {**kind, **{key: value for key, value in obj.items() if key != "status"}, "metadata": meta}


def namespaces(exchanges: list[Obj]) -> Iterator[str]:
    """Those that exchanges work in and do not create."""
    made = {
        exchange["body"]["metadata"].get("name")
        for exchange in exchanges
        if exchange["url"] == "/api/v1/namespaces" and exchange["answer"]["status"] == 201
    }
    for exchange in exchanges:
        whole = re.match(r"/api/v1/namespaces/([^/?]+)$", exchange["url"])
        place = NAMESPACED.match(exchange["url"])
        name = place[2] if place else whole[1] if whole else ""
        if name and name not in made | MISSING:
            yield name


async def prepare(stage: Stage, scene: Scene, exchanges: list[Obj]) -> dict[str, list[tuple[str, Obj]]]:
    """Makes what is there at the beginning; answers what is to be made later, by the exchange that it comes before."""
    for name in dict.fromkeys(namespaces(exchanges)):
        await stage.player.make("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": name}})
    await stage.make(*scene.there)
    when = {name: number for number, names in scene.late.items() for name in names}
    later: dict[str, list[tuple[str, Obj]]] = {}
    for url, obj in found_there(exchanges) if scene.guess else ():
        if obj["metadata"]["name"] in when:
            later.setdefault(when[obj["metadata"]["name"]], []).append((url, obj))
        else:
            await stage.player.make(url, obj)
    return later


def waiting_pod(name: str, namespace: str) -> Obj:
    """One that no node takes."""
    made = pod(name, namespace, labels={"app": name})
    made["spec"]["nodeSelector"] = {"nosuch": "node"}
    return made


def stopped_vm(name: str, namespace: str) -> Obj:
    """As the recordings make theirs."""
    made = virtual_machine(name, namespace)
    made["spec"]["template"]["spec"] |= {
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "rootdisk", "containerDisk": {"image": "registry.example/fedora:41"}}],
    }
    domain = made["spec"]["template"]["spec"]["domain"]
    domain["memory"] = {"guest": "1Gi"}
    domain["devices"]["disks"] = [{"name": "rootdisk", "disk": {"bus": "virtio"}}]
    return made
