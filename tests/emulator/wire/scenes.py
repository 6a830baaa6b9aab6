# SPDX-License-Identifier: Apache-2.0
"""What the recorded exchanges of an area found on the server, and what happened between two of them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from tests.emulator.apiserver.harness import config_map, nad

from .admission import ADMISSION
from .player import Obj
from .stage import NADS, PATHS, VMS, Act, Scene, Stage, stopped_vm, waiting_pod

HELD = {"finalizers": ["example.com/held"]}


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
