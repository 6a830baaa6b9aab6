# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..controlplane.accessors import by_name, interfaces
from ..controlplane.admission.networks import BINDINGS
from ..fault_points import Defect
from ..kube.client import Obj


def _where_bindings_differ(_copy: bool, *, vm: Obj, vmi: Obj, **_: Any) -> bool:
    wanted, has = (by_name(interfaces(spec)) for spec in (vm["spec"]["template"]["spec"], vmi["spec"]))
    return any(
        binding in wanted.get(name, card) and binding not in card for name, card in has.items() for binding in BINDINGS
    )


DEFECT = Defect(
    name="binding-applied-live",
    sentence="A change of a NIC's binding is written to the running VMI and asks for no restart.",
    rows=("R11",),
    point="vm.copy_interfaces",
    change=_where_bindings_differ,
)
