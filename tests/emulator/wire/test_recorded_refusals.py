# SPDX-License-Identifier: Apache-2.0
"""What a real virt-api refused of NICs, volumes, memory dumps and exports, under three settings of its gates."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.emulator.controlplane.lab import nad, running_lab, vm

from .recordings import DATA
from .test_recorded_requests import serve

SPACE = "lab-refuse"
RECORDED: list[dict[str, Any]] = [json.loads(line) for line in (DATA / "refusals.jsonl").read_text().splitlines()]
SETTINGS = {
    "defaults": {},
    "HotplugVolumes+VMExport": {"featureGates": ["HotplugVolumes", "VMExport"]},
    "disabled: DeclarativeHotplugVolumes HotplugVolumes VMExport Snapshot": {
        "disabledFeatureGates": ["DeclarativeHotplugVolumes", "HotplugVolumes", "VMExport", "Snapshot"]
    },
}


@pytest.mark.parametrize("profile", ["1.9", "main"])
@pytest.mark.parametrize("gates", SETTINGS)
async def test_refusals_are_as_recorded(gates: str, profile: str) -> None:
    recorded = [one for one in RECORDED if one["gates"] == gates]
    assert recorded
    async with running_lab(profile) as lab, aiohttp.ClientSession() as session:
        url = await serve(lab)
        await lab.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
        if SETTINGS[gates]:
            await lab.configure({"configuration": {"developerConfiguration": SETTINGS[gates]}})
        for name, strategy in (("vm1", "Always"), ("off", "Halted")):
            made = vm(name, run_strategy=strategy)
            made["metadata"]["namespace"] = SPACE
            await lab.client.create("virtualmachines.kubevirt.io", made)
        network = nad("nad-a")
        network["metadata"]["namespace"] = SPACE
        await lab.client.create("network-attachment-definitions.k8s.cni.cncf.io", network)
        vmis = lab.plane.shared.vmis
        while (vmis.get(SPACE, "vm1") or {}).get("status", {}).get("phase") != "Running":
            await lab.quiet(0.5)
        wrong = [text for one in recorded for text in await _compared(session, url, one)]
    assert not wrong, "\n".join(wrong)


async def _compared(session: aiohttp.ClientSession, url: str, recorded: dict[str, Any]) -> list[str]:
    body = None if recorded["body"] is None else json.dumps(recorded["body"])
    headers = {"Authorization": "Bearer admin", "Accept": "application/json, */*"}
    if recorded["type"]:
        headers["Content-Type"] = recorded["type"]
    asked = URL(url + recorded["url"], encoded=True)
    async with session.request(recorded["method"], asked, data=body, headers=headers) as answer:
        text = await answer.text()
        seen: Any = json.loads(text) if text else ""
        warnings = answer.headers.get("Warning")
    if answer.status < 300 and isinstance(seen, dict):
        # Of an object that was made, the recording kept only these.
        kept = recorded["answer"]
        seen = {"kind": seen["kind"], "name": seen["metadata"]["name"], "spec": kept["spec"] and seen["spec"]}
        seen["status"] = kept["status"]
    found = [("status", answer.status, recorded["status"]), ("answer", seen, recorded["answer"])]
    found.append(("warning", warnings, recorded["warning"]))
    return [f"{recorded['label']}: {what}: seen {one}, recorded {other}" for what, one, other in found if one != other]
