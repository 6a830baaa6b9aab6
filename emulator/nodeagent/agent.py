# SPDX-License-Identifier: Apache-2.0
"""The node agent as a whole: which components it starts, in which order, and how it stops them."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..dataplane.model import DataPlane
from ..fault_points import FaultPoints
from ..kube.client import Client
from ..kube.informer import Informer
from ..pace import Pace
from ..platforms.platform import KUBERNETES, Platform
from .addresses import NodeSockets, open_sockets
from .context import AgentContext
from .dynamic_networks import DynamicNetworks
from .kubelet import Kubelet
from .nmstate.networks import NodeNetworks
from .node_clients import NodeClients
from .nodes import NodeEndpoint, NodeRegistry
from .streams import StreamEndpoint
from .virt_handler import VMIS, VirtHandler

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Identities:
    """The clients of the components; each should have the rights of the real one.

    ``handlers`` are those of single nodes, by the node's name: where virt-handlers are kept to their nodes, each node
    needs its own. ``nmstate`` is None if the nodes are not configured by policies.
    """

    kubelet: Client
    multus: Client
    handler: Client
    nmstate: Client | None = None
    handlers: Mapping[str, Client] = field(default_factory=dict)


@dataclass
class NodeAgent:
    """Runs ``nodes`` on ``dataplane`` against the API of the identities.

    ``kubelet`` and ``handler`` exist as soon as it is ready. ``dynamic_networks``: whether the Dynamic Networks
    Controller runs on the nodes. ``tls`` is the context of virt-handler's stream endpoints, ``kubelet_tls`` that of the
    kubelets' logs; None for plain HTTP.
    """

    identities: Identities
    dataplane: DataPlane
    nodes: Sequence[str]
    pace: Pace
    fault_points: FaultPoints
    dynamic_networks: bool = False
    tls: ssl.SSLContext | None = None
    kubelet_tls: ssl.SSLContext | None = None
    platform: Platform = KUBERNETES
    kubelet: Kubelet = field(init=False)
    handler: VirtHandler = field(init=False)

    async def run(self, ready: Callable[[], None]) -> None:
        """Runs until it is cancelled, then removes what it built. Calls ``ready`` once all nodes are registered."""
        try:
            await self.dataplane.start(list(self.nodes))
            await self._run(ready)
        finally:
            await self.dataplane.stop()

    async def _run(self, ready: Callable[[], None]) -> None:
        sockets = open_sockets(self.nodes)
        node_endpoints = [_endpoint(node, listening) for node, listening in sockets.items()]
        context = AgentContext(
            self.dataplane,
            {endpoint.name: endpoint.address for endpoint in node_endpoints},
            self.pace,
            self.fault_points,
            self.platform,
        )
        pods = Informer(self.identities.kubelet, "pods")
        vmis = Informer(self.identities.handler, VMIS)
        kubelet = Kubelet(self.identities.kubelet, self.identities.multus, pods, context)
        handlers = NodeClients(self.identities.handler, self.identities.handlers)
        handler = VirtHandler(handlers, vmis, kubelet, context)
        dynamic = DynamicNetworks(self.identities.multus, pods, kubelet, context) if self.dynamic_networks else None
        self.kubelet, self.handler = kubelet, handler
        endpoints = {node: StreamEndpoint(node, kubelet, handler, context) for node in self.nodes}
        registry = NodeRegistry(
            self.identities.kubelet,
            handlers,
            node_endpoints,
            self.platform.kubevirt_namespace,
            context.fault_points,
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(pods.run())
                group.create_task(vmis.run())
                await asyncio.gather(
                    *(endpoints[node].start(sockets[node], self.tls, self.kubelet_tls) for node in self.nodes)
                )
                await asyncio.gather(pods.synced.wait(), vmis.synced.wait())
                await registry.register()
                log.info("nodes are ready: %s", ", ".join(self.nodes))
                ready()
                group.create_task(registry.keep_alive())
                if self.identities.nmstate:
                    group.create_task(NodeNetworks(self.identities.nmstate, context, registry).run())
        finally:
            await handler.stop()
            if dynamic:
                await dynamic.queue.stop()
            await kubelet.queue.stop()
            await asyncio.gather(*(endpoint.stop() for endpoint in endpoints.values()))


def _endpoint(node: str, sockets: NodeSockets) -> NodeEndpoint:
    address, port = sockets.console.getsockname()
    return NodeEndpoint(node, address, port, sockets.kubelet.getsockname()[1])
