# SPDX-License-Identifier: Apache-2.0
"""Pod sandboxes on this agent's nodes: network namespaces with their interfaces."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from ..dataplane.model import PodInterface
from ..dataplane.wiring import Segment
from ..kube.informer import Key
from .cni import Attachment

PRIMARY = "eth0"


@dataclass
class Sandbox:
    """One pod's network: its primary interface and, by interface name, its secondary ones."""

    uid: str
    key: Key
    node: str
    primary: PodInterface
    attachments: list[Attachment]
    interfaces: dict[str, PodInterface] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def segments(self) -> dict[str, Segment]:
        return {attachment.interface: attachment.segment for attachment in self.attachments}

    def interface_of(self, network: str, position: int) -> PodInterface | None:
        """The pod interface of a VMI network; ``position`` counts its secondary networks from 1 (older names)."""
        return self.interfaces.get(hashed_name(network)) or self.interfaces.get(f"net{position}")


def hashed_name(network: str) -> str:
    """The pod interface name that KubeVirt derives from a network's name in the VM."""
    return "pod" + hashlib.sha256(network.encode()).hexdigest()[:11]
