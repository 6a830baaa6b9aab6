# SPDX-License-Identifier: Apache-2.0
"""The handler of one node: holds its state, applies policies, and writes enactments and the NodeNetworkState."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from ...dataplane.wiring import LINUX
from ...kube.client import Client, Obj
from ...kube.errors import ApiError
from ...kube.events import EventRecorder
from ...kube.timestamps import timestamp
from ..context import AgentContext
from ..retry_on_conflict import update_with_retry
from . import desired, policy_conditions
from .state import State, first_state, wiring_of

log = logging.getLogger(__name__)

GROUP = "nmstate.io"
BETA = f"{GROUP}/v1beta1"
ENACTMENTS = f"nodenetworkconfigurationenactments.{GROUP}"
STATES = f"nodenetworkstates.{GROUP}"
SHOW, CHECK, APPLY = 1.0, 0.5, 4.5
FIRST_BACKOFF, LAST_BACKOFF, TRIES = 1.0, 30.0, 5
VERSION = "0.86.0"

Told = Mapping[str, tuple[str, str, str]]


class Handler:
    """Calls ``bridges_changed(node)`` when a policy has added Linux bridges to the node or removed some."""

    def __init__(
        self, node: str, number: int, client: Client, context: AgentContext, bridges_changed: Callable[[str], None]
    ) -> None:
        self.node = node
        self.client = client
        self._dataplane = context.dataplane
        self._pace = context.pace
        self._fault_points = context.fault_points
        self._events = EventRecorder(client, f"{node}.nmstate-handler")
        self._bridges_changed = bridges_changed
        self._lock = asyncio.Lock()
        self.state: State = first_state(number, context.nodes[node])

    @property
    def linux_bridges(self) -> set[str]:
        return {interface["name"] for interface in self.state["interfaces"] if interface["type"] == LINUX}

    async def report(self) -> None:
        """Writes the NodeNetworkState if it has changed."""
        node = await self.client.get("nodes", self.node)
        owner = {"apiVersion": "v1", "kind": "Node", "name": self.node, "uid": node["metadata"]["uid"]}
        meta = {"name": self.node, "ownerReferences": [owner]}
        found = await self._ensure(STATES, {"apiVersion": BETA, "kind": "NodeNetworkState", "metadata": meta})

        def reported(fresh: Obj) -> None:
            status = fresh.setdefault("status", {})
            if status.get("currentState") != self.state:
                status |= {"currentState": self.state, "lastSuccessfulUpdateTime": timestamp()}
                status["handlerNmstateVersion"] = VERSION

        await update_with_retry(self.client, STATES, found, reported, subresource="status")

    async def _ensure(self, resource: str, obj: Obj) -> Obj:
        try:
            return await self.client.create(resource, obj)
        except ApiError as error:
            if error.code != 409:
                raise
        return await self.client.get(resource, obj["metadata"]["name"])

    async def begin(self, policy: Obj) -> None:
        """Creates the enactment of the policy's generation, without a status."""
        await self._pace.sleep(SHOW)
        meta = policy["metadata"]
        name = f"{self.node}.{meta['name']}"
        owner = {"apiVersion": policy["apiVersion"], "kind": policy["kind"], "name": meta["name"], "uid": meta["uid"]}
        labels = {f"{GROUP}/policy": meta["name"], f"{GROUP}/node": self.node}
        found = {"name": name, "labels": labels, "ownerReferences": [owner]}
        kind = "NodeNetworkConfigurationEnactment"
        enactment = await self._ensure(ENACTMENTS, {"apiVersion": BETA, "kind": kind, "metadata": found})
        wished = desired.with_defaults(policy["spec"].get("desiredState") or {})

        def reset(fresh: Obj) -> None:
            fresh["status"] = {
                "conditions": policy_conditions.of(policy_conditions.ENACTMENT, {}, []),
                "desiredState": wished,
                "policyGeneration": meta["generation"],
            }

        await update_with_retry(self.client, ENACTMENTS, enactment, reset, subresource="status")

    async def pending(self, policy: Obj) -> None:
        reason, message = "MaxUnavailableLimitReached", "Waiting for progressing nodes to finish"
        await self._tell(policy, policy_conditions.of_enactment("Pending", reason, message))

    async def aborted(self, policy: Obj) -> None:
        message = f'reconciliation of enactment "{self.node}.{policy["metadata"]["name"]}" has aborted'
        await self._tell(policy, policy_conditions.of_enactment("Aborted", "ConfigurationAborted", message))

    async def enact(self, policy: Obj) -> bool:
        """Applies the policy; False if the node refused it and is unchanged."""
        wished = desired.with_defaults(policy["spec"].get("desiredState") or {})
        name = policy["metadata"]["name"]
        running = policy_conditions.of_enactment("Progressing", policy_conditions.PROGRESSING, "Applying desired state")
        await self._tell(policy, running)
        backoff = FIRST_BACKOFF
        for attempt in range(1, TRIES + 1):
            await self._pace.sleep(CHECK)
            try:
                await self._apply(wished)
            except desired.NmstateError as error:
                failure = self._failure(str(error))
            else:
                done = policy_conditions.of_enactment(
                    "Available", policy_conditions.CONFIGURED, "successfully reconciled"
                )
                await self._tell(policy, done)
                return True
            if attempt < TRIES:
                what = f"failed to reconcile NodeNetworkConfigurationPolicy on node {self.node}."
                retrying = f"{what} Retrying {attempt}/{TRIES}"
                await self._tell(policy, policy_conditions.of_enactment("Failing", "Retrying", retrying, "Progressing"))
                await self._pace.sleep(backoff)
                backoff = min(backoff * 2, LAST_BACKOFF)
        await self._tell(policy, policy_conditions.of_enactment("Failing", policy_conditions.FAILED, failure))
        message = f"reconciliation of enactment {self.node}.{name} has failed after {TRIES} retries"
        await self._events.warning(policy, "ReconcileFailed", message)
        return False

    async def _apply(self, wished: State) -> None:
        """One run of nmstatectl, which changes all or nothing; one after the other on each node."""
        async with self._lock:
            state = desired.apply(self.state, wished)
            # An impossible state is refused at once; this delay is that of the configuration and of the probes after
            # it.
            await self._pace.sleep(APPLY)
            await self._become(state)

    async def _become(self, state: State) -> None:
        wiring = self._fault_points.apply("agent.node_wiring", wiring_of(state), node=self.node)
        await self._dataplane.rewire(self.node, wiring)
        before, self.state = self.linux_bridges, state
        await self.report()
        if self.linux_bridges != before:
            self._bridges_changed(self.node)

    def _failure(self, why: str) -> str:
        command = "failed to execute nmstatectl apply --no-commit --timeout 480: exit status 1"
        return (
            f'error reconciling NodeNetworkConfigurationPolicy on node {self.node} at desired state apply: "",\n '
            f"{command} '' '' 'NmstateError: {why}\n'"
        )

    async def _tell(self, policy: Obj, told: Told) -> None:
        name, generation = f"{self.node}.{policy['metadata']['name']}", policy["metadata"]["generation"]
        try:
            enactment = await self.client.get(ENACTMENTS, name)
        except ApiError as error:
            if error.code != 404:
                raise
            log.info("enactment %s is gone, and its policy with it", name)
            return

        def said(fresh: Obj) -> None:
            status: dict[str, Any] = fresh.setdefault("status", {})
            status["policyGeneration"] = generation
            status["conditions"] = policy_conditions.of(
                policy_conditions.ENACTMENT, told, status.get("conditions") or []
            )

        await update_with_retry(self.client, ENACTMENTS, enactment, said, subresource="status")

    async def withdraw(self, policy_name: str) -> None:
        """The policy no longer matches this node: its enactment is removed, the configuration stays."""
        try:
            await self.client.delete(ENACTMENTS, f"{self.node}.{policy_name}")
        except ApiError as error:
            if error.code != 404:
                raise
