# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import networks
from ..fault_points import Defect
from ..kube.client import Obj


class _StartSpec:
    """Remembers the networks that each VMI was started with."""

    def __init__(self) -> None:
        self._first: dict[str, list[Obj]] = {}

    def __call__(self, copies: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
        first = self._first.setdefault(vmi["metadata"]["uid"], networks(vmi["spec"]))
        wanted = networks(vm["spec"]["template"]["spec"])
        return copies and [network.get("multus") for network in wanted] != [net.get("multus") for net in first]


DEFECT = Defect(
    name="way-back-is-no-change",
    sentence="An edit is compared with the spec that the VM was started with, so the way back is taken for no change.",
    rows=("R38",),
    point="vm.copy_nad",
    change=_StartSpec(),
)
