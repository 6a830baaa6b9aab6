# SPDX-License-Identifier: Apache-2.0
"""Fault points: the named places where a defect can change what the embedded cluster does.

The code at a fault point calls ``apply("point", value, **context)`` and continues with the result; without a defect
the result is the given value. So the code that a defect breaks needs no branch for it.

Points of the node agent:

- ``agent.pod_attachments`` (list of ``cni.Attachment``; ``pod``, ``siblings``: the sandboxes of the same VMI):
  the networks that a new pod is attached to.
- ``agent.sandbox_retry`` (bool; ``pod``): whether the sandbox of a pod is tried again, such as without a NAD.
- ``agent.network_status`` (list of entries; ``pod``): the pod's network-status.
- ``agent.after_pod_removal`` (list of ``kubelet.PodGone``; ``pod``, ``siblings`` as above): further actions
  after a pod was deleted.
- ``agent.image_pull_error`` (""; ``pod``): why the node cannot pull the pod's image, "" if it can.
- ``agent.vmi_status`` (the status of a VMI; ``vmi``): the status that virt-handler writes for a running guest.
- ``agent.node_ready`` (bool; ``node``): whether a node reports Ready.
- ``agent.dial`` (None; ``domain``, ``port``): called before a port-forward dials; ConnectionRefusedError refuses it.
- ``agent.stream_output`` (bytes; ``kind``: console or port-forward, ``domain``): the output of a guest that reaches
  the client; None ends the stream.
- ``agent.unplug`` (bool; ``vmi``, ``nic``): whether a NIC that is marked absent is removed from the guest.
- ``agent.migration_failure`` (""; ``vmi``): the reason why a migration fails at the end of its copy.
- ``agent.before_switch_over`` (list of ``switch_over.Action``; ``vmi``): actions before the guest moves.
- ``agent.after_switch_over`` (list of ``switch_over.Action``; ``vmi``): actions after the guest has moved.
- ``agent.node_wiring`` (``wiring.Wiring``; ``node``): the wiring of a node after an NMState policy has
  changed it.
- ``agent.after_spec_sync`` (list of ``spec_sync.Action``; ``vmi``): further actions after a sync with a
  running VMI's spec.
- ``agent.evacuation_mark`` (""; ``vmi``, ``node``: the migration's target): ``status.evacuationNodeName`` of a VMI that
  a migration has moved, "" for none.
- ``agent.completion_gap`` (0.0; ``vmi``): real seconds between the migration's end and its completion.

Points of the API server:

- ``store.write`` (the object; ``before``: the stored one or None, ``later(seconds, change)``): what is stored of a
  written object.
- ``api.fault`` (``api_faults.ApiFault``; ``info``, ``user``): the delay of a request, and the error that
  replaces its answer.

Points of the control plane:

- ``virt_api.stream`` (None; ``kind``: console or port-forward, ``vmi``: its name): the number of bytes of a stream that
  reach the client before nothing passes either way; 0 leaves the request itself without an answer, None passes all.
- ``admission.vm_written`` (None; ``request``): called when another client than KubeVirt writes a VM, even if the
  VM does not change.
- ``vm.restart_required`` (bool; ``vm``, ``vmi``, ``settings``, ``requeue(seconds)``): whether a restart is required;
  called in each sync of a VM with a VMI.
- ``vm.action`` (``runstrategy.Action``; ``vm``, ``vmi``): whether the VM is started or stopped now.
- ``vm.copy_nad`` (bool; ``vm``, ``vmi``, ``settings``): whether a changed networkName is copied to the running VMI.
- ``vm.plug_nic`` (bool; ``vm``, ``vmi``): whether NICs that are new in the VM are copied to the running VMI.
- ``vm.copy_interfaces`` (bool; ``vm``, ``vmi``): whether all fields of an interface are copied to the running VMI;
  on a real cluster only its state is.
- ``vmi.migration_required`` (``evaluator.Need``; ``vmi``, ``pod``): whether the VMI's networks require a migration.
- ``vmi.waits_for_hand_over`` (bool; ``vmi``, ``migration``: the one that has not succeeded, or None): False lets a VMI
  ask for its next migration before the one that has just ended has succeeded; with ``agent.completion_gap`` the
  migration then never ends, as can happen on a real cluster.
- ``updater.methods`` (list of str): the methods by which the workload updater may update a VMI.
- ``updater.candidates`` (list of VMIs; ``vmis``: all there are): those that the workload updater migrates or evicts.
- ``migration.step`` (``phases.Step`` or None; ``migration``, ``vmi``): the next phase of a migration object.
- ``pod.networks`` (list of {name, namespace, interface}; ``vmi``, ``migration`` or None): networks of a launcher pod.
- ``kubevirt.status`` (the status of the KubeVirt CR): the status of an installed KubeVirt.
- ``pod.networks_rewritten`` (bool; ``vmi``, ``pod``): whether the networks annotation of a running pod is rewritten, as
  after a hot-plug.
- ``rbac.cluster_roles`` (list of ClusterRoles): those of an installed KubeVirt.
- ``events.record`` (bool; ``reason``, ``about``): whether an event of virt-controller is written.
- ``metrics.vnics`` (list of label sets; ``metric``, ``obj``): the series of one VM (``kubevirt_vm_vnic_info``) or one
  VMI (``kubevirt_vmi_vnic_info``), one for each NIC.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Defect:
    """One fault of a real product, node or guest.

    ``point`` names the fault point, ``change(value, **context)`` returns the wrong result; ``also`` holds further
    points with their changes, if one fault shows in several places. ``fault`` says where the fault is: in the
    ``product`` (a test must FAIL) or in the ``lab`` (a LAB ERROR).
    """

    name: str
    sentence: str
    rows: tuple[str, ...]
    point: str
    change: Callable[..., Any]
    fault: str = "product"
    also: tuple[tuple[str, Callable[..., Any]], ...] = ()


class FaultPoints:
    """The defects that are switched on in this process; ``names`` are theirs."""

    def __init__(self, defects: Iterable[Defect] = ()) -> None:
        self._by_point: dict[str, list[Callable[..., Any]]] = {}
        self.names: list[str] = []
        for defect in defects:
            self.names.append(defect.name)
            for point, change in ((defect.point, defect.change), *defect.also):
                self._by_point.setdefault(point, []).append(change)

    def changes(self, point: str) -> bool:
        """Whether a defect changes something at this point."""
        return point in self._by_point

    def apply(self, point: str, value: T, **context: Any) -> T:
        for change in self._by_point.get(point, ()):
            value = change(value, **context)
        return value


def all_defects() -> dict[str, Defect]:
    """Every defect of ``emulator/defects``, by name."""
    package = importlib.import_module("emulator.defects")
    found: dict[str, Defect] = {}
    for module in pkgutil.iter_modules(package.__path__):
        of_topic = vars(importlib.import_module(f"emulator.defects.{module.name}")).values()
        found |= {one.name: one for one in of_topic if isinstance(one, Defect)}
    return dict(sorted(found.items()))


def fault_points_for(names: Iterable[str]) -> FaultPoints:
    """The fault points with these defects on; ValueError names an unknown defect and those that are named like it."""
    names = list(names)
    if not names:
        return FaultPoints()
    known = all_defects()
    for name in names:
        if name.startswith("deviation="):
            known[name] = importlib.import_module("emulator.deviations.description").deviation(name)
    unknown = [name for name in names if name not in known]
    if unknown:
        near = get_close_matches(unknown[0], known, n=3, cutoff=0.5)
        meant = f"did you mean {', '.join(near)}? " if near else ""
        raise ValueError(
            f"no defect is called {unknown[0]!r}; {meant}python -m emulator defects lists all {len(known)}"
        )
    return FaultPoints(known[name] for name in names)
