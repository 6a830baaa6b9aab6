"""What the recorded exchanges of an area found on the server, and what happened between two of them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from emulator.controlplane import conditions, names
from tests.emulator.apiserver.harness import config_map, nad, pod, virtual_machine
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
HELD = {"finalizers": ["example.com/held"]}


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


async def _snapshot_forgotten(stage: Stage) -> None:
    """virt-controller takes a note of a snapshot away that there is not."""
    await stage.settled(VMS, "wire-update", lambda found: "snapshotInProgress" not in found["vm1"]["status"])


def cm(name: str, namespace: str, **more: Any) -> Obj:
    return {**config_map(name, namespace), **more}


def owned(name: str, namespace: str, uid: str) -> Obj:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "blockOwnerDeletion": True}
    return config_map(f"{name}-dep", namespace, ownerReferences=[owner])


async def _owners(stage: Stage) -> None:
    for policy in ("background", "foreground", "orphan"):
        made = await stage.make(config_map(f"own-{policy}", "wire-delete"))
        await stage.make(owned(f"own-{policy}", "wire-delete", made["metadata"]["uid"]))


def _gone(*names: str) -> Act:
    return lambda stage: stage.settled("configmaps", "wire-delete", lambda found: not found.keys() & set(names))


async def _let_go(stage: Stage) -> None:
    await stage.lab.client.patch(NADS, "nad-f", "wire-delete", {"metadata": {"finalizers": None}})


def _foreground_held(stage: Stage) -> Awaitable[Any]:
    """The collector is slower on the real server: the owner waits for a dependent that something else holds."""
    held = {"metadata": HELD}
    return stage.lab.client.patch("configmaps", "own-foreground-dep", "wire-delete", held)


async def _foreground_freed(stage: Stage) -> None:
    freed = {"metadata": {"finalizers": None}}
    await stage.lab.client.patch("configmaps", "own-foreground-dep", "wire-delete", freed)
    await _gone("own-foreground", "own-foreground-dep")(stage)


async def _alice_may(stage: Stage, namespace: str, *verbs: str) -> None:
    group = "rbac.authorization.k8s.io"
    rule = {"apiGroups": [group], "resources": ["roles", "rolebindings"], "verbs": list(verbs)}
    meta = {"name": "alice-roles", "namespace": namespace}
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": [rule]}
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": meta,
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "alice-roles"},
        "subjects": [{"kind": "User", "apiGroup": group, "name": "alice"}],
    }
    await stage.make(role, binding)


async def _tokens(stage: Stage) -> None:
    """The recordings do not tell tokens: those that they speak of are asked for here."""
    known, tokens = stage.player.chance.known, stage.player.tokens
    tokens["service account token of wire-auth/default"] = known["REDACTED"]
    head, body, signature = known["REDACTED"].split(".")
    tokens["a service account token with a damaged signature"] = f"{head}.{body}.{signature[::-1]}"


async def _deleted_account(stage: Stage) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "brief", "namespace": "wire-auth"}}
    await stage.make(account)
    url = PATHS["ServiceAccount"].format("wire-auth")
    token = await stage.player.make(f"{url}/brief/token", {"spec": {"expirationSeconds": 600}})
    stage.player.tokens["token of a service account that was deleted afterwards"] = token["status"]["token"]
    await stage.lab.client.delete("serviceaccounts", "brief", "wire-auth")


async def _limits(stage: Stage) -> None:
    limits = {"parallelMigrationsPerCluster": 40, "parallelOutboundMigrationsPerNode": 20}
    await stage.lab.configure({"configuration": {"migrations": limits}})


def _running(*vms: str) -> Act:
    def are_ready(found: dict[str, Obj]) -> bool:
        return all(found[name].get("status", {}).get("ready") for name in vms)

    return lambda stage: stage.settled(VMS, "wire-adm", are_ready)


async def _one_cannot_migrate(stage: Stage) -> None:
    await _running("nomig")(stage)
    await cannot_migrate(stage, "nomig", "wire-adm")


async def cannot_migrate(stage: Stage, name: str, namespace: str) -> None:
    """virt-handler finds that a VMI cannot migrate, in the recorded words."""
    vmi = await stage.lab.agent.client.get(names.VMI, name, namespace)
    message = "cannot migrate VMI: PVC lab-pvc is not shared, live migration requires that all PVCs must be shared "
    message += "(using ReadWriteMany access mode)"
    why = conditions.new("LiveMigratable", "False", reason="DisksNotLiveMigratable", message=message)
    conditions.put(vmi, why)
    await stage.lab.agent.client.replace(names.VMI, vmi)


async def _hold_migrations(stage: Stage) -> None:
    """As the recording's driver did: its orders to the stand-in are annotations of the VM's template."""
    order = {"spec": {"template": {"metadata": {"annotations": {"lab/migration-seconds": "8"}}}}}
    await stage.lab.client.patch(names.VM, "run", "wire-adm", order)
    stage.lab.agent.may_finish.clear()


async def _finish_migration(stage: Stage) -> None:
    stage.lab.agent.may_finish.set()

    def is_over(found: dict[str, Obj]) -> bool:
        migration = found["mig-1"]
        return migration.get("status", {}).get("phase") == "Succeeded" and not migration["metadata"].get("finalizers")

    await stage.settled(names.MIGRATION, "wire-adm", is_over)


def running_vm(name: str, **spec: Any) -> Obj:
    made = stopped_vm(name, "wire-adm")
    made["spec"] |= {"runStrategy": "Always", **spec}
    return made


async def _first_page(stage: Stage) -> None:
    """The list that the recorded tokens are from, and five changes since."""
    url = f"{stage.player.url}{PATHS['ConfigMap'].format('wire-compact')}?limit=2"
    async with stage.player.session.get(url, headers={"Authorization": "Bearer admin"}) as answer:
        meta = (await answer.json())["metadata"]
    known = stage.player.chance.known
    known["12190"] = meta["resourceVersion"]
    known["eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTIxOTAsInN0YXJ0IjoiL2MxXHUwMDAwIn0"] = meta["continue"]
    for number in range(5):
        await stage.lab.client.patch("configmaps", "c0", "wire-compact", {"data": {"k": str(number)}})


async def _restarted(stage: Stage) -> None:
    """A server that has just started remembers nothing of what was before."""
    stage.lab.core.store.compact()


ADMISSION = Scene(
    there=(
        nad("nad-a", "wire-adm"),
        nad("nad-b", "wire-adm"),
        running_vm("nomig"),
        running_vm("halted", runStrategy="Halted"),
    ),
    before={
        "001": _limits,
        "088": _running("run"),
        "122": _one_cannot_migrate,
        "135": _hold_migrations,
        "141": _finish_migration,
    },
)
SCENES = {
    "watch": Scene(
        guess=False,
        there=tuple(config_map(f"c{n}", "wire-watch", labels={"app": app}) for n, app in enumerate("yxx")),
    ),
    "compaction": Scene(
        guess=False,
        there=tuple(config_map(f"c{number}", "wire-compact") for number in range(6)),
        before={"01": _first_page, "04": _restarted},
    ),
    "admission-main": ADMISSION,
    "admission-1.9.0": ADMISSION,
    "admission-1.8.4": ADMISSION,
    "create": Scene(there=(config_map("held", "wire-term", **HELD),)),
    "read": Scene(late={"52": ("c1a",)}),
    "update": Scene(
        there=(
            config_map("c1", "wire-update"),
            cm("imm", "wire-update", immutable=True),
            nad("nad-a", "wire-update"),
            waiting_pod("p1", "wire-extra"),
        ),
        before={"31": _snapshot_forgotten},
    ),
    "patch": Scene(
        there=(nad("nad-a", "wire-patch"), waiting_pod("p1", "wire-patch"), stopped_vm("vm1", "wire-patch")),
        before={"44": lambda stage: stage.make(nad("nad-a", "wire-extra"))},
        late={"44": ("nad-a",)},
    ),
    "apply": Scene(),
    "delete": Scene(
        there=(
            *(config_map(name, "wire-delete") for name in ("c1", "pr")),
            nad("nad-a", "wire-delete"),
            config_map("held", "wire-delns", **HELD),
        ),
        before={
            "13": _let_go,
            "22": _owners,
            "24": _gone("own-background", "own-background-dep"),
            "26": _foreground_held,
            "28": _foreground_freed,
            "32": _gone("own-orphan"),
            "34": _gone("orphan-of-nothing"),
        },
        late={"26": ("own-foreground", "own-orphan", "own-orphan-dep"), "41": ("unsched",), "43": ("sched",)},
    ),
    "auth": Scene(
        before={
            "65": _tokens,
            "73": _deleted_account,
            "74": lambda stage: _alice_may(stage, "wire-auth", "*"),
            "75": lambda stage: _alice_may(stage, "wire-extra", "create", "get", "update", "patch"),
        }
    ),
    "errors": Scene(),
    "discovery": Scene(),
}
