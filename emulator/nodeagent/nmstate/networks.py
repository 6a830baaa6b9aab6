# SPDX-License-Identifier: Apache-2.0
"""NMState on all nodes of this agent: a handler for each node, the policies, and bridge-marker."""

from __future__ import annotations

import asyncio

from ...kube.client import Client
from ..context import AgentContext
from ..nodes import NodeRegistry
from ..queues import node_queue
from .handler import Handler
from .policies import Policies

# bridge-marker checks once a minute; this is the average wait for it.
MARKER = 30.0


class NodeNetworks:
    """Begins with the initial bridges of every node, which are marked when ``run`` begins."""

    def __init__(self, client: Client, context: AgentContext, registry: NodeRegistry) -> None:
        self._pace = context.pace
        self._registry = registry
        self._handlers = {
            node: Handler(node, number, client, context, self._look_later)
            for number, node in enumerate(context.nodes, start=1)
        }
        self._marker = node_queue("bridge-marker", lambda key: self._mark(key[1]))
        self._policies = Policies(client, list(self._handlers.values()))

    def _look_later(self, node: str) -> None:
        self._marker.add_after(("", node), self._pace.seconds(MARKER))

    async def _mark(self, node: str) -> None:
        await self._registry.mark(node, self._handlers[node].linux_bridges)

    async def run(self) -> None:
        try:
            await asyncio.gather(*(self._mark(node) for node in self._handlers))
            await self._policies.run()
        finally:
            await self._marker.stop()
