# SPDX-License-Identifier: Apache-2.0
"""What a defect can change after virt-handler has synced a running guest with its VMI's spec."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..dataplane.model import DataPlane
from ..kube.client import Obj
from .sandboxes import Sandbox


@dataclass(frozen=True)
class SpecSync:
    """A running VMI and its pod.

    ``pod_interfaces`` maps the names of its NICs to those of pod interfaces; ``sandboxes`` are all pods by UID.
    """

    dataplane: DataPlane
    vmi: Obj
    sandbox: Sandbox
    pod_interfaces: dict[str, str]
    sandboxes: dict[str, Sandbox]


Action = Callable[[SpecSync], Awaitable[None]]
