# SPDX-License-Identifier: Apache-2.0
"""What the allowed differences refer to: the edits of a VM, its migrations, launcher pods and nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livenad.api.history import DELETED, History
from livenad.api.kinds import MIGRATION, POD, VMI, Object, dig, meta
from livenad.api.status import migration_state, nic_status, node_of
from livenad.changes import NetworkChange
from livenad.invariants.flat_fields import Fields, fields_of
from livenad.virtual_machines.manifests import pod_interface_name

TARGET_OF = "kubevirt.io/migrationJobUID"


@dataclass(frozen=True)
class Flow:
    """A VM from its record until now.

    ``networks`` are those of each NIC that was moved, oldest first, in the order of the edits; ``pod_nics`` are its
    NICs on the pod network. ``interfaces`` maps a NIC to its interface in the launcher pod. ``pods`` and ``migrations``
    are in their last state, pods by name, migrations by UID. ``migration_states`` are all that the VMI showed, as
    fields, by the UID of the migration. ``node`` is the one before the act.
    """

    vm: str
    namespace: str
    node: str
    networks: Mapping[str, Sequence[str]]
    pod_nics: Sequence[str]
    interfaces: Mapping[str, str]
    pods: Mapping[str, Object]
    migrations: Mapping[str, Object]
    migration_states: Mapping[str, Sequence[Fields]]

    def pod_by_uid(self, uid: str) -> Object | None:
        """A launcher pod of the VM; None for an unknown UID."""
        return next((pod for pod in self.pods.values() if meta(pod, "uid") == uid), None)

    def target_pod(self, migration: object) -> Object | None:
        """The newest pod that was made for a migration."""
        made = [pod for pod in self.pods.values() if (meta(pod, "labels", {}) or {}).get(TARGET_OF) == migration]
        return max(made, key=lambda pod: str(meta(pod, "creationTimestamp")), default=None)


def flow_of(history: History, before: Object, index: int, edits: Sequence[NetworkChange]) -> Flow:
    """The flow of the VM of ``before``, its VMI at ``index`` of the history, and of the edits since."""
    vm, uid = str(meta(before, "name")), meta(before, "uid")
    states: dict[str, list[Fields]] = {}
    for record in history.records(VMI, vm, index):
        state = migration_state(record.object)
        if state.get("migrationUid"):
            states.setdefault(str(state["migrationUid"]), []).append(fields_of({"status": {"migrationState": state}}))
    pods = {
        record.name: record.object
        for record in history.records(POD)
        if (meta(record.object, "labels", {}) or {}).get("kubevirt.io/created-by") == uid
    }
    return Flow(
        vm=vm,
        namespace=str(meta(before, "namespace")),
        node=node_of(before),
        networks=_networks(edits),
        pod_nics=[str(net["name"]) for net in dig(before, "spec", "networks", default=[]) if "pod" in net],
        interfaces={
            str(net["name"]): str(
                dig(nic_status(before, str(net["name"])), "podInterfaceName") or pod_interface_name(str(net["name"]))
            )
            for net in dig(before, "spec", "networks", default=[])
        },
        pods=pods,
        migrations=_migrations_since(history, vm, index),
        migration_states=states,
    )


def _networks(edits: Sequence[NetworkChange]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for edit in edits:
        found.setdefault(edit.nic, [edit.old_network]).append(edit.new_network)
    return found


def _migrations_since(history: History, vm: str, index: int) -> dict[str, Object]:
    """The VM's migration objects that were not there before ``index``, by UID."""
    earlier = {record.uid for record in history.records(MIGRATION, vm=vm) if record.index < index}
    return {uid: item for uid, item in history.by_uid(MIGRATION, vm, index).items() if uid not in earlier}


def taken_over(history: History, before: Object, index: int) -> int | None:
    """Index of the state of the VMI in which it had left the node of ``before``; None while it has not."""
    for record in history.records(VMI, str(meta(before, "name")), index):
        if record.type != DELETED and node_of(record.object) not in ("", node_of(before)):
            return record.index
    return None
