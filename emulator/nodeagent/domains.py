# SPDX-License-Identifier: Apache-2.0
"""The guests on this agent's nodes, as libvirt lists domains."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from ..dataplane.model import AgentReport, DataPlane, GuestNic
from ..kube.informer import Key


@dataclass
class Domain:
    """One guest: its node, its NICs by name, and the last report of its agent.

    ``stopped`` is set once it has ended for any reason, ``end_reported`` once its VMI says so. A panicked guest still
    runs, but nothing in it answers. ``concealed_macs`` (for a defect) maps a MAC that the guest has now to the one that
    its agent still reports.
    """

    uid: str
    key: Key
    node: str
    pod_uid: str
    nics: dict[str, GuestNic]
    report: AgentReport | None = None
    paused: bool = False
    panicked: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    end_reported: asyncio.Event = field(default_factory=asyncio.Event)
    concealed_macs: dict[str, str] = field(default_factory=dict)
    stopping: asyncio.Task[None] | None = None

    def seen(self, report: AgentReport | None) -> AgentReport | None:
        """The report, with the MACs that a defect conceals."""
        if report is None or not self.concealed_macs:
            return report
        shown = tuple(replace(i, mac=self.concealed_macs.get(i.mac.lower(), i.mac)) for i in report.interfaces)
        return replace(report, interfaces=shown)

    def device_of(self, nic_name: str) -> str | None:
        """The name of a NIC inside the guest, as its agent reports it."""
        mac = self.nics[nic_name].mac.lower()
        for interface in self.report.interfaces if self.report else ():
            if interface.mac.lower() == mac:
                return interface.name
        return None


class Domains:
    """All domains by VMI UID."""

    def __init__(self, dataplane: DataPlane) -> None:
        self._dataplane = dataplane
        self.by_uid: dict[str, Domain] = {}

    def get(self, uid: str) -> Domain | None:
        return self.by_uid.get(uid)

    def of_pod(self, pod_uid: str) -> Domain | None:
        return next((d for d in self.by_uid.values() if d.pod_uid == pod_uid), None)

    def of_key(self, key: Key) -> Domain | None:
        """The newest domain of the VMI with this name."""
        return next((d for d in reversed(self.by_uid.values()) if d.key == key), None)

    def remember(self, domain: Domain) -> None:
        self.by_uid[domain.uid] = domain

    def forget(self, uid: str) -> None:
        self.by_uid.pop(uid, None)

    async def stop(self, domain: Domain, grace: float) -> None:
        """Shuts a domain down: waits ``grace`` seconds, then kills it. A second caller waits for the first."""
        if domain.stopping is None:
            domain.stopping = asyncio.create_task(self._stop(domain, grace))
        await asyncio.shield(domain.stopping)

    async def _stop(self, domain: Domain, grace: float) -> None:
        await self._dataplane.halt(domain.uid, grace)
        domain.stopped.set()
