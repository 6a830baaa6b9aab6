# SPDX-License-Identifier: Apache-2.0
"""The clients of a component that has an identity of its own on each node."""

from __future__ import annotations

from collections.abc import Mapping

from ..kube.client import Client, Obj


class NodeClients:
    """``default`` reads for all nodes, and writes for a node that has no client of its own."""

    def __init__(self, default: Client, by_node: Mapping[str, Client] | None = None) -> None:
        self.default = default
        self._by_node = dict(by_node or {})

    def of(self, node: str) -> Client:
        return self._by_node.get(node, self.default)

    def of_vmi(self, vmi: Obj) -> Client:
        """That of a node which may write the VMI: where it runs, or the target of its migration."""
        status = vmi.get("status") or {}
        target = (status.get("migrationState") or {}).get("targetNode", "")
        return next(
            (self._by_node[node] for node in (status.get("nodeName"), target) if node in self._by_node), self.default
        )
