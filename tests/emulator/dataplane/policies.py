# SPDX-License-Identifier: Apache-2.0
"""NMState's handlers on a data plane, with an API server core that only they use."""

from __future__ import annotations

from typing import Any

from emulator.apiserver.builtin import default_registry
from emulator.apiserver.core import ApiCore
from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.users import ADMIN
from emulator.dataplane.model import DataPlane
from emulator.fault_points import FaultPoints
from emulator.nmstate.kinds import KINDS, POLICIES
from emulator.nodeagent.context import AgentContext
from emulator.nodeagent.nmstate.handler import Handler
from emulator.pace import Pace


async def handlers(dataplane: DataPlane, nodes: list[str]) -> list[Handler]:
    registry = default_registry()
    for kind in KINDS:
        registry.register(kind)
    client = LocalClient(ApiCore(registry), ADMIN)
    context = AgentContext(dataplane, dict.fromkeys(nodes, "127.0.0.11"), Pace(100), FaultPoints())
    for node in nodes:
        await client.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}})
    return [Handler(node, number, client, context, lambda _: None) for number, node in enumerate(nodes, start=1)]


async def enact(handler: Handler, desired: dict[str, Any]) -> bool:
    """Whether the node took the desired state."""
    kind = "NodeNetworkConfigurationPolicy"
    meta = {"generateName": "p-"}
    body = {"apiVersion": "nmstate.io/v1", "kind": kind, "metadata": meta, "spec": {"desiredState": desired}}
    policy = await handler.client.create(POLICIES.key, body)
    await handler.begin(policy)
    return await handler.enact(policy)
