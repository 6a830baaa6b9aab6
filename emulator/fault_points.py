"""Fault points: the named places where a defect can change what the embedded cluster does.

The code at a fault point asks ``apply("point", value, **context)`` and goes on with the answer; without a defect
the answer is the value that it gave. A defect therefore needs no branch in the code that it breaks.

Points of the node agent:

- ``agent.pod_attachments`` (list of ``cni.Attachment``; ``pod``, ``siblings``: the sandboxes of the same VMI):
  what a new pod is plugged into.
- ``agent.sandbox_retry`` (bool; ``pod``): whether a pod without a sandbox, such as for want of a NAD, gets another try.
- ``agent.network_status`` (list of entries; ``pod``): what Multus reports of it.
- ``agent.after_pod_removal`` (list of ``kubelet.PodGone``; ``pod``, ``siblings`` as above): what happens besides when a
  pod is deleted.
- ``agent.image_pull_error`` (""; ``pod``): why the node cannot pull the pod's image, where it cannot.
- ``agent.vmi_status`` (the status of a VMI; ``vmi``): what virt-handler writes of a running guest.
- ``agent.node_ready`` (bool; ``node``): whether a node says that it is Ready.
- ``agent.dial`` (None; ``domain``, ``port``): asked before a port-forward dials; ConnectionRefusedError refuses it.
- ``agent.stream_output`` (bytes; ``kind``: console or port-forward, ``domain``): what of a guest's output reaches the
  client; None ends the stream there.
- ``agent.unplug`` (bool; ``vmi``, ``nic``): whether a NIC that is marked absent is taken out of the guest.
- ``agent.migration_failure`` (""; ``vmi``): the reason why a migration fails at the end of its copy.
- ``agent.before_switch_over`` (list of ``switch_over.Action``; ``vmi``): what happens to the guest before its move.
- ``agent.after_switch_over`` (list of ``switch_over.Action``; ``vmi``): what happens to the guest just after its move.
- ``agent.node_wiring`` (``wiring.Wiring``; ``node``): what the bridges of a node are connected to once a policy of
  NMState has changed it.
- ``agent.after_spec_sync`` (list of ``spec_sync.Action``; ``vmi``): what else is done after a look at a running
  VMI's spec.
- ``agent.completion_gap`` (0.0; ``vmi``): real seconds between the migration's end and its completion.

A point of the API server:

- ``api.fault`` (``api_faults.ApiFault``; ``info``, ``user``): how long a request waits, and the error that it gets in
  place of an answer.

Points of the control plane:

- ``admission.vm_written`` (None; ``request``): told when somebody else than KubeVirt writes a VM, even if nothing in it
  changes.
- ``vm.restart_required`` (bool; ``vm``, ``vmi``, ``settings``, ``requeue(seconds)``): asked in each sync of a VM that
  has a VMI.
- ``vm.action`` (``runstrategy.Action``; ``vm``, ``vmi``): whether the VM is started or stopped now.
- ``vm.copy_nad`` (bool; ``vm``, ``vmi``, ``settings``): whether a changed networkName is copied to the running VMI.
- ``vm.plug_nic`` (bool; ``vm``, ``vmi``): whether NICs that are new in the VM are copied to the running VMI.
- ``vm.copy_interfaces`` (bool; ``vm``, ``vmi``): whether everything of an interface is copied to the running VMI, as
  nothing but its state should be.
- ``vmi.migration_required`` (``evaluator.Need``; ``vmi``, ``pod``): what the VMI's networks ask for.
- ``vmi.waits_for_hand_over`` (bool; ``vmi``): False lets a VMI ask for its next migration before the one that has just
  ended is called succeeded; with ``agent.completion_gap`` that wedges the migration, as a real cluster can.
- ``updater.methods`` (list of str): by which methods the workload updater may update a VMI.
- ``updater.candidates`` (list of VMIs; ``vmis``: all there are): those that the workload updater migrates or evicts.
- ``migration.step`` (``phases.Step`` or None; ``migration``, ``vmi``): the next phase of a migration object.
- ``pod.networks`` (list of {name, namespace, interface}; ``vmi``, ``migration`` or None): what a launcher pod asks for.
- ``kubevirt.status`` (the status of the KubeVirt CR): what an installed KubeVirt says of itself.
- ``pod.networks_rewritten`` (bool; ``vmi``, ``pod``): whether the request of a running pod is written anew, as after a
  hot-plug.
- ``rbac.cluster_roles`` (list of ClusterRoles): those that an installed KubeVirt brings.
- ``events.record`` (bool; ``reason``, ``about``): whether an event of virt-controller is written.
- ``metrics.vnics`` (list of label sets; ``metric``, ``obj``): the series of one VM (``kubevirt_vm_vnic_info``) or one
  VMI (``kubevirt_vmi_vnic_info``), one for each NIC.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Defect:
    """One thing that a real product, node or guest would do wrong.

    ``point`` names the fault point, ``change(value, **context)`` gives the wrong answer; ``also`` holds further
    points with their changes, where one mistake shows in several places. ``fault`` says whose fault a real one would
    be: ``product`` (a test must FAIL) or ``lab`` (an ERROR of the lab).
    """

    name: str
    sentence: str
    rows: tuple[str, ...]
    point: str
    change: Callable[..., Any]
    fault: str = "product"
    also: tuple[tuple[str, Callable[..., Any]], ...] = ()


class FaultPoints:
    """The defects that are switched on in this process."""

    def __init__(self, defects: Iterable[Defect] = ()) -> None:
        self._by_point: dict[str, list[Callable[..., Any]]] = {}
        for defect in defects:
            for point, change in ((defect.point, defect.change), *defect.also):
                self._by_point.setdefault(point, []).append(change)

    def apply(self, point: str, value: T, **context: Any) -> T:
        for change in self._by_point.get(point, ()):
            value = change(value, **context)
        return value


def all_defects() -> dict[str, Defect]:
    """Every defect of ``emulator/defects``, by name."""
    package = importlib.import_module("emulator.defects")
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        defect = importlib.import_module(f"emulator.defects.{module.name}").DEFECT
        found[defect.name] = defect
    return dict(sorted(found.items()))


def fault_points_for(names: Iterable[str]) -> FaultPoints:
    """The fault_points with these defects on; ValueError names an unknown one and lists those that exist."""
    known = all_defects()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no defect is called {unknown[0]!r}; there are: {', '.join(known)}")
    return FaultPoints(known[name] for name in names)
