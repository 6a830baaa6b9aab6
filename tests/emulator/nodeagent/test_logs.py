# SPDX-License-Identifier: Apache-2.0
"""What launchers log, and how it is read."""

from __future__ import annotations

import json
import re

import aiohttp

from emulator.nodeagent.logs import LINES_KEPT, PodLogs

from .conftest import VMIS, Script


async def logged(script: Script, pod: str, **query: str) -> list[str]:
    """The messages in a launcher's log, by the kubelet's path of its node."""
    node = (await script.client.get("pods", pod, "demo"))["spec"]["nodeName"]
    status = (await script.client.get("nodes", node))["status"]
    address, port = status["addresses"][0]["address"], status["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    url = f"http://{address}:{port}/containerLogs/demo/{pod}/compute"
    async with aiohttp.ClientSession() as session, session.get(url, params=query) as response:
        assert response.status == 200
        return [json.loads(line)["msg"] for line in (await response.text()).splitlines()]


async def test_launcher_tells_of_its_guest_and_of_a_migration(script: Script) -> None:
    vmi = await script.running()
    started = ["Marked as ready", "Domain defined.", "Domain started.", "Synced vmi"]
    assert await logged(script, "launcher-vm1") == started
    await script.hand_over(vmi)
    await script.until(VMIS, "vm1", lambda v: v["status"]["migrationState"].get("completed"))
    moved = await script.until("pods", "launcher-vm1", lambda p: p["status"]["phase"] == "Succeeded")
    assert moved
    source = await logged(script, "launcher-vm1")
    assert source[:6] == [*started, "Initiating live migration.", "Live migration succeeded."]
    assert await logged(script, "target-vm1") == ["Marked as ready", "Signaled target pod for migration preparation"]
    assert await logged(script, "target-vm1", tailLines="1") == ["Signaled target pod for migration preparation"]


def test_lines_are_kept_and_cut() -> None:
    logs = PodLogs()
    for number in range(LINES_KEPT + 5):
        logs.write("pod", str(number))
    lines = logs.read("pod", tail=2).splitlines()
    assert [json.loads(line)["msg"] for line in lines] == [str(LINES_KEPT + 3), str(LINES_KEPT + 4)]
    assert json.loads(logs.read("pod").splitlines()[0])["msg"] == "5"
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z \{", logs.read("pod", tail=1, timestamps=True))
    assert logs.read("pod", tail=0) == ""
    logs.forget("pod")
    assert logs.read("pod") == ""
