# SPDX-License-Identifier: Apache-2.0
"""Where the nodes listen, and what a restarted agent tells of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

from emulator.apiserver.builtin import default_registry
from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.users import ADMIN
from emulator.fault_points import FaultPoints
from emulator.nodeagent.addresses import CONSOLE_PORT, KUBELET_PORT, open_sockets
from emulator.nodeagent.agent import Identities, NodeAgent
from emulator.pace import Pace

from .conftest import VMIS, Script
from .fake_dataplane import FakeDataPlane

NODES = ["node-1", "node-2"]


def test_two_agents_on_one_machine_get_different_addresses_with_the_same_ports() -> None:
    first, second = open_sockets(NODES), open_sockets(NODES)
    try:
        seen = [sockets.console.getsockname() for found in (first, second) for sockets in found.values()]
        assert len({address for address, _ in seen}) == 4
        assert {port for _, port in seen} == {CONSOLE_PORT}
        assert {sockets.kubelet.getsockname()[1] for sockets in second.values()} == {KUBELET_PORT}
        assert [sockets.kubelet.getsockname()[0] for sockets in second.values()] == [at for at, _ in seen[2:]]
    finally:
        for found in (first, second):
            for sockets in found.values():
                sockets.close()


def test_port_that_somebody_has_on_all_addresses_is_replaced() -> None:
    with socket.socket() as everywhere:
        try:
            everywhere.bind(("0.0.0.0", KUBELET_PORT))  # noqa: S104 - as a real kubelet
        except OSError:
            pytest.skip("another process has it")
        everywhere.listen()
        found = open_sockets(NODES)
        try:
            assert {sockets.console.getsockname()[1] for sockets in found.values()} == {CONSOLE_PORT}
            assert KUBELET_PORT not in {sockets.kubelet.getsockname()[1] for sockets in found.values()}
        finally:
            for sockets in found.values():
                sockets.close()


@contextlib.asynccontextmanager
async def running(admin: LocalClient) -> AsyncIterator[None]:
    identities, ready = Identities(admin, admin, admin), asyncio.Event()
    agent = NodeAgent(identities, FakeDataPlane(), NODES, Pace(200), FaultPoints())
    task = asyncio.create_task(agent.run(ready.set))
    try:
        async with asyncio.timeout(5):
            await ready.wait()
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told(admin: LocalClient) -> dict[str, tuple[str, str]]:
    """By node: the address of its virt-handler's pod and its own."""
    pods, _ = await admin.list("pods", "kubevirt")
    nodes, _ = await admin.list("nodes")
    own = {node["metadata"]["name"]: node["status"]["addresses"][0]["address"] for node in nodes}
    return {pod["spec"]["nodeName"]: (pod["status"]["podIP"], own[pod["spec"]["nodeName"]]) for pod in pods}


async def test_restarted_agent_tells_its_new_address_and_the_end_of_its_guests() -> None:
    admin = LocalClient(ApiCore(default_registry()), ADMIN)
    await admin.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kubevirt"}})
    async with running(admin):
        before = await told(admin)
    script = Script(admin, FakeDataPlane(), namespace="kubevirt")
    await script.vmi()
    await script.patch_vmi("vm1", {"phase": "Running", "nodeName": NODES[0]})
    blocked = [socket.create_server((address, CONSOLE_PORT)) for address, _ in before.values()]
    try:
        async with running(admin):
            after = await told(admin)
            await script.until(VMIS, "vm1", lambda vmi: vmi["status"]["phase"] == "Failed")
    finally:
        for listening in blocked:
            listening.close()
    assert before.keys() == after.keys() == set(NODES)
    for node in NODES:
        assert before[node][0] != after[node][0]
        assert after[node][0] == after[node][1]
