# SPDX-License-Identifier: Apache-2.0
"""The policies of all nodes: which nodes they match, how many apply them in parallel, and the policy's status."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ...kube.client import Client, Obj
from ...kube.informer import Informer, Key, key_of
from ..queues import node_queue
from ..retry_on_conflict import update_with_retry
from . import policy_conditions
from .handler import GROUP, Handler

POLICIES = f"nodenetworkconfigurationpolicies.{GROUP}"
OPERATORS = f"nmstates.{GROUP}"
DEFAULT_SHARE = "50%"


class Policies:
    """Runs each generation of each policy once, and again when the nodes that it matches change."""

    def __init__(self, client: Client, handlers: Sequence[Handler]) -> None:
        self._client = client
        self._handlers = handlers
        self._policies = Informer(client, POLICIES)
        self._operators = Informer(client, OPERATORS)
        self._nodes = Informer(client, "nodes")
        self._done: dict[str, tuple[int, frozenset[str]]] = {}
        self.queue = node_queue("policy", self._sync)
        self._policies.on_change(lambda _event, new, _old: self.queue.add(key_of(new)))
        self._reports = node_queue("node state", self._report)
        self._operators.on_change(self._on_operator)
        self._nodes.on_change(self._on_node)

    def _on_node(self, _event: str, new: Obj, old: Obj | None) -> None:
        if old is None or new["metadata"].get("labels") != old["metadata"].get("labels"):
            self._mark_all()

    def _on_operator(self, *_: object) -> None:
        self._mark_all()
        for handler in self._handlers:
            self._reports.add(("", handler.node))

    async def _report(self, key: Key) -> None:
        """The handlers run and report as long as an NMState object exists."""
        for handler in self._handlers:
            if handler.node == key[1] and self._operators.cache:
                await handler.report()

    def _mark_all(self) -> None:
        for key in self._policies.cache:
            self.queue.add(key)

    async def run(self) -> None:
        """Runs until it is cancelled; the nodes must be registered."""
        try:
            async with asyncio.TaskGroup() as group:
                # A policy would match no node before the nodes are known.
                for informer in (self._nodes, self._operators):
                    group.create_task(informer.run())
                    await informer.synced.wait()
                group.create_task(self._policies.run())
        finally:
            await self.queue.stop()
            await self._reports.stop()

    async def _sync(self, key: Key) -> None:
        policy = self._policies.cache.get(key)
        if policy is None or not self._operators.cache or "deletionTimestamp" in policy["metadata"]:
            return
        concerned = [handler for handler in self._handlers if self._matches(policy, handler.node)]
        uid = policy["metadata"]["uid"]
        now = policy["metadata"]["generation"], frozenset(handler.node for handler in concerned)
        if self._done.get(uid) == now:
            return
        await self._run(policy, concerned)
        self._done[uid] = now

    def _matches(self, policy: Obj, node: str) -> bool:
        found = self._nodes.cache.get(("", node))
        labels = found["metadata"].get("labels", {}) if found else {}
        selector = policy["spec"].get("nodeSelector") or {}
        return found is not None and all(labels.get(key) == value for key, value in selector.items())

    async def _run(self, policy: Obj, concerned: Sequence[Handler]) -> None:
        for handler in self._handlers:
            if handler not in concerned:
                await handler.withdraw(policy["metadata"]["name"])
        outcomes = {handler.node: policy_conditions.OPEN for handler in concerned}
        await self._tell(policy, outcomes)
        slots = asyncio.Semaphore(_at_a_time(policy, len(concerned)))

        async def one(handler: Handler) -> None:
            await handler.begin(policy)
            if slots.locked():
                await handler.pending(policy)
            async with slots:
                if policy_conditions.BROKEN in outcomes.values():
                    await handler.aborted(policy)
                    outcomes[handler.node] = policy_conditions.ABORTED
                else:
                    good = await handler.enact(policy)
                    outcomes[handler.node] = policy_conditions.DONE if good else policy_conditions.BROKEN
                await self._tell(policy, outcomes)

        async with asyncio.TaskGroup() as group:
            for handler in concerned:
                group.create_task(one(handler))

    async def _tell(self, policy: Obj, outcomes: dict[str, str]) -> None:
        told = policy_conditions.of_policy(outcomes)

        def said(fresh: Obj) -> None:
            status = fresh.setdefault("status", {})
            status["conditions"] = policy_conditions.of(policy_conditions.POLICY, told, status.get("conditions") or [])
            status["unavailableNodeCount"] = sum(outcome == policy_conditions.OPEN for outcome in outcomes.values())

        current = self._policies.cache.get(key_of(policy), policy)
        await update_with_retry(self._client, POLICIES, current, said, subresource="status")


def _at_a_time(policy: Obj, nodes: int) -> int:
    """``maxUnavailable`` as a number or a share of the nodes, rounded up, at least one."""
    wish = policy["spec"].get("maxUnavailable") or DEFAULT_SHARE
    text = str(wish)
    if text.endswith("%") and text[:-1].isdigit():
        return max(1, -(-nodes * int(text[:-1]) // 100))
    return max(1, int(text)) if text.isdigit() else max(1, -(-nodes // 2))
