# SPDX-License-Identifier: Apache-2.0
"""What a real cluster lets a virt-handler write, by the node that its token is bound to, with and without the gate."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from emulator.apiserver.objects import clone
from emulator.apiserver.users import ADMIN
from emulator.cluster_process.roles import grant
from emulator.controlplane import names
from emulator.platforms.platform import KUBERNETES
from tests.emulator.controlplane.lab import Lab, running_lab, vm

from .recordings import DATA
from .test_recorded_requests import serve

Obj = dict[str, Any]
SPACE = "lab-nr"
WHOLE = "<the whole object with the change>"
RECORDED: list[Obj] = [json.loads(line) for line in (DATA / "restrictions.jsonl").read_text().splitlines()]
HANDLER = "/api/v1/namespaces/kubevirt/serviceaccounts/kubevirt-handler/token"
OFF = {"configuration": {"developerConfiguration": {"disabledFeatureGates": ["NodeRestriction"]}}}


def changed(vmi: Obj, label: str) -> Obj:
    """The VMI as the recording's driver sent it."""
    new: Obj = clone(vmi)
    if "targetNode" in label:
        new["status"].setdefault("migrationState", {})["targetNode"] = "node2"
    if "spec changed" in label:
        new["spec"]["terminationGracePeriodSeconds"] = 7
    return new


async def tokens(lab: Lab, session: aiohttp.ClientSession, url: str, home: str) -> dict[str, str]:
    """By the recordings' words: tokens that are bound to a pod on a node, and one that is not."""
    found = {}
    other = "node2" if home == "node1" else "node1"
    for word, node in (("on the VMI node", home), ("on the other node", other), ("no node claim", "")):
        spec: Obj = {"expirationSeconds": 600}
        if node:
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": f"nr-{node}", "namespace": "kubevirt"},
                "spec": {"nodeName": node, "serviceAccountName": "kubevirt-handler"},
            }
            pod["spec"]["containers"] = [{"name": "c", "image": "i"}]  # type: ignore[index]
            await lab.client.create(names.PODS, pod)
            spec["boundObjectRef"] = {"kind": "Pod", "apiVersion": "v1", "name": f"nr-{node}"}
        async with session.post(url + HANDLER, json={"spec": spec}, headers={"Authorization": "Bearer admin"}) as made:
            found[word] = (await made.json())["status"]["token"]
    return found


@pytest.mark.parametrize("profile", ["1.9", "main"])
@pytest.mark.parametrize("gate", ["on", "off"])
async def test_virt_handler_keeps_to_its_node(gate: str, profile: str) -> None:
    async with running_lab(profile) as lab, aiohttp.ClientSession() as session:
        await grant(lab.server.client(ADMIN), KUBERNETES)
        url = await serve(lab)
        await lab.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
        if gate == "off":
            await lab.configure(OFF)
        made = vm("vm1", nads=())
        made["metadata"]["namespace"] = SPACE
        await lab.client.create(names.VM, made)
        vmis = lab.plane.shared.vmis
        while (vmis.get(SPACE, "vm1") or {}).get("status", {}).get("phase") != "Running":
            await lab.quiet(0.5)
        await lab.quiet(5)
        home = (vmis.get(SPACE, "vm1") or {})["status"]["nodeName"]
        await lab.client.patch(names.NODES, home, None, {"metadata": {"labels": {"example.com/known": "a"}}})
        bearer = await tokens(lab, session, url, home)
        wrong = []
        for one in RECORDED:
            if one["label"].startswith("[gate") and not one["label"].startswith(f"[gate {gate}]"):
                continue
            vmi = await lab.client.get(names.VMI, "vm1", SPACE)
            node = await lab.client.get(names.NODES, home)
            wrong += await compared(session, url, one, bearer, {"node": node, "vmi": vmi})
        assert not wrong, "\n".join(wrong)


async def compared(
    session: aiohttp.ClientSession, url: str, one: Obj, bearer: dict[str, str], there: dict[str, Obj]
) -> list[str]:
    home = str(there["node"]["metadata"]["name"])
    body = one["body"]
    if body == WHOLE:
        body = there["node"] if "/nodes/" in one["path"] else changed(there["vmi"], one["label"])
    headers = {"Authorization": f"Bearer {bearer[one['token']]}", "Accept": "application/json"}
    kind = "application/merge-patch+json" if one["method"] == "PATCH" else "application/json"
    path = f"{one['path'].replace('node1', home)}?dryRun=All"
    headers["Content-Type"] = kind
    async with session.request(one["method"], url + path, data=json.dumps(body), headers=headers) as answer:
        seen = await answer.json()
    recorded = json.loads(json.dumps(one["answer"]).replace("node1", home))
    if answer.status < 300:
        seen = {"kind": seen["kind"]}
    return [] if (answer.status, seen) == (one["code"], recorded) else [f"{one['label']}: {answer.status} {seen}"]
