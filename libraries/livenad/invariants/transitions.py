# SPDX-License-Identifier: Apache-2.0
"""The transitions that an allowed difference may name, each a test of one step of one field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from livenad.api.kinds import dig, meta
from livenad.api.status import qualified
from livenad.invariants.flat_fields import NETWORKS, Fields
from livenad.invariants.flow import Flow

EVACUATION = "metadata.annotations[kubevirt.io/evacuationMigration]"
MIGRATION_UID = "status.migrationState.migrationUid"
_SECONDS = re.compile(r"\b\d+s\b")
PHASES = (
    "None",
    "Pending",
    "Scheduling",
    "Scheduled",
    "PreparingTarget",
    "TargetReady",
    "Running",
    "Succeeded",
)


@dataclass(frozen=True)
class Step:
    """A value in one state of an object.

    ``before`` are all fields before the act, ``earlier`` those of the preceding state, ``state`` those of this one.
    ``last`` marks the newest state. ``names`` are what the placeholders of the path stand for.
    """

    path: str
    before: Fields
    earlier: Fields
    state: Fields
    flow: Flow
    last: bool
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def was(self) -> object:
        """The value before the act, None where it was not set."""
        return self.before.get(self.path)

    @property
    def previous(self) -> object:
        """The value in the preceding state."""
        return self.earlier.get(self.path)

    @property
    def now(self) -> object:
        """The value in this state."""
        return self.state.get(self.path)

    @property
    def changed(self) -> bool:
        """Whether it differs from before the act or from the preceding state."""
        return not self.was == self.previous == self.now

    @property
    def migration(self) -> object:
        """UID of the migration that the VMI shows in this state."""
        return self.state.get(MIGRATION_UID)

    @property
    def begins(self) -> bool:
        """Whether this state is the first one of another migration, whose values replace those of the one before."""
        return self.earlier.get(MIGRATION_UID) not in (None, self.migration)


Transition = Callable[[Step], bool]


def _grows(step: Step) -> bool:
    return str(step.now).isdigit() and (step.previous is None or int(str(step.now)) >= int(str(step.previous)))


def _later(step: Step) -> bool:
    """A time stamp of RFC 3339 in UTC that does not go back; a condition that comes and goes takes its own along."""
    return step.now is None or step.previous is None or str(step.now) >= str(step.previous)


def _next_network(step: Step) -> bool:
    """The network of the same edit or of a later one; in the newest state, that of the last edit."""
    networks = step.flow.networks[step.names["moved NIC"]]
    if step.last and step.now != networks[-1]:
        return False
    return any(
        networks[i] == step.previous and networks[j] == step.now
        for i in range(len(networks))
        for j in range(i, len(networks))
    )


def _once(step: Step) -> bool:
    """Set, and then the same for as long as it is about the same migration."""
    return step.begins or (step.now is not None and step.previous in (None, step.now))


def _target_pod(step: Step) -> bool:
    pod = step.flow.target_pod(step.migration)
    return pod is not None and meta(pod, "name") == step.now


def _target_node(step: Step) -> bool:
    pod = step.flow.target_pod(step.migration)
    return pod is not None and dig(pod, "spec", "nodeName") == step.now


def _source_node(step: Step) -> bool:
    """The node that the VMI was on when the migration began."""
    pod = step.flow.target_pod(step.migration)
    on = [dig(one, "spec", "nodeName") for one in step.flow.pods.values() if one is not pod]
    return step.now in on and (step.previous in (None, step.now) or step.begins)


def _source_pod(step: Step) -> bool:
    pod = step.flow.pods.get(str(step.now))
    node = step.state.get("status.migrationState.sourceNode")
    return pod is not None and dig(pod, "spec", "nodeName") == node


def _known_migration(step: Step) -> bool:
    return step.now in step.flow.migrations


def _moved_node(step: Step) -> bool:
    """The target of the migration that the VMI shows; in between also the node that it has been on."""
    target = step.state.get("status.migrationState.targetNode")
    return step.now is not None and (step.now == target or (step.now == step.previous and not step.last))


def _own_node(step: Step) -> bool:
    """The node of this very state."""
    return step.now == step.state.get("status.nodeName")


def _node_of_pod(step: Step) -> bool:
    """Empty until the pod is scheduled, then its node; the entry goes with the pod."""
    pod = step.flow.pod_by_uid(step.names["pod"])
    if pod is None:
        return False
    return step.now in ("", None) or step.now == dig(pod, "spec", "nodeName")


def _pod_address(step: Step) -> bool:
    """Addresses of one of the VM's launcher pods; at last those of the pod on the VMI's node."""
    node = step.state.get("status.nodeName")
    for pod in step.flow.pods.values():
        addresses = [str(one.get("ip")) for one in dig(pod, "status", "podIPs", default=[])]
        shown = [part.strip('[]" ') for part in str(step.now).split(",")]
        if (not step.last or dig(pod, "spec", "nodeName") == node) and set(shown) <= set(addresses):
            return True
    return False


def _own_address(step: Step) -> bool:
    """Addresses of the very pod."""
    own = {value for path, value in step.state.items() if path.startswith("status.podIPs[")}
    return {part.strip('[]" ') for part in str(step.now).split(",")} <= own


def _asked_mac(step: Step) -> bool:
    """The MAC that the pod's networks annotation asks for; any where it asks for none."""
    asked = step.state.get(f"metadata.annotations[{NETWORKS}][{next(iter(step.names.values()))}].mac")
    return step.now is not None and asked in (None, step.now)


def _new_network(step: Step) -> bool:
    """Name of the NAD of the last edit, without its namespace."""
    return str(step.now) == _newest(step).partition("/")[2]


def _new_namespace(step: Step) -> bool:
    return str(step.now) == _newest(step).partition("/")[0]


def _new_nad(step: Step) -> bool:
    """The NAD of the last edit, as ``namespace/name``."""
    return str(step.now) == _newest(step)


def _newest(step: Step) -> str:
    networks = {step.flow.interfaces[nic]: seq[-1] for nic, seq in step.flow.networks.items()}
    return qualified(networks[step.names["moved interface"]], step.flow.namespace)


def _phase(step: Step) -> bool:
    """The phases of a migration in their order; at last Succeeded."""
    known = str(step.now) in PHASES and str(step.previous) in PHASES
    forward = known and PHASES.index(str(step.now)) >= PHASES.index(str(step.previous))
    return forward and (not step.last or step.now == "Succeeded")


def _priority(step: Step) -> bool:
    """That of its cause: a drain or the descheduler, or the edit."""
    of_eviction = step.state.get(EVACUATION) is not None
    return step.now in (("system-critical", "system-maintenance") if of_eviction else ("user-triggered",))


def _as_vmi(step: Step) -> bool:
    """A value that the VMI has shown for this migration."""
    states = step.flow.migration_states.get(str(step.state.get("metadata.uid")), [])
    return any(state.get(step.path) == step.now for state in states) or (
        step.path.endswith(".sourcePod") and str(step.now) in step.flow.pods
    )


def _of_migration(step: Step) -> bool:
    """Name or UID of the migration that the pod was made for."""
    uid = step.state.get("metadata.labels[kubevirt.io/migrationJobUID]")
    item = step.flow.migrations.get(str(uid), {})
    return step.now is not None and step.now in (meta(item, "name"), meta(item, "uid"))


def _own_vm(step: Step) -> bool:
    return step.now == step.flow.vm


def _vmi_node(step: Step) -> bool:
    """A node that a launcher pod of the VM is on."""
    return step.now in [dig(pod, "spec", "nodeName") for pod in step.flow.pods.values()]


def _but_for_seconds(step: Step) -> bool:
    """The same text but for numbers of seconds: the launcher waits for QEMU with a time that is drawn for each pod."""
    return _SECONDS.sub("", str(step.now)) == _SECONDS.sub("", str(step.was))


def _any(step: Step) -> bool:
    return True


def _true(step: Step) -> bool:
    return step.begins or step.now is True or step.now in ("True", "true")


def _gone(step: Step) -> bool:
    return step.now is None


TRANSITIONS: Mapping[str, tuple[Transition, str]] = {
    "grows": (_grows, "grow"),
    "another": (_any, "be another one"),
    "later": (_later, "become later"),
    "next network": (_next_network, "become the network of the next edit"),
    "set once": (_once, "be set, and then stay for this migration"),
    "target pod": (_target_pod, "be the pod made for the migration"),
    "target node": (_target_node, "be the node of the migration's target pod"),
    "source node": (_source_node, "be the node that the VMI was on"),
    "source pod": (_source_pod, "be the launcher pod on the source node"),
    "migration": (_known_migration, "be a migration object of this VM"),
    "moved": (_moved_node, "become the target node of the migration that the VMI shows"),
    "own node": (_own_node, "be the node in status.nodeName"),
    "node of the pod": (_node_of_pod, "be the node of that pod"),
    "pod address": (_pod_address, "be the addresses of the launcher pod"),
    "own address": (_own_address, "be the addresses of this pod"),
    "asked MAC": (_asked_mac, "be the MAC that the networks annotation asks for"),
    "new network": (_new_network, "become the name of the new NAD"),
    "new namespace": (_new_namespace, "become the namespace of the new NAD"),
    "new NAD": (_new_nad, "become the new NAD"),
    "phase": (_phase, "go through the phases in their order, to Succeeded"),
    "priority": (_priority, "be user-triggered, or that of an eviction for a migration that has one as its cause"),
    "as the VMI": (_as_vmi, "be what the VMI shows of this migration"),
    "of its migration": (_of_migration, "name the migration that the pod was made for"),
    "own VM": (_own_vm, "be the VM's name"),
    "node of a pod": (_vmi_node, "be the node of a launcher pod"),
    "but for seconds": (_but_for_seconds, "differ in a number of seconds"),
    "true": (_true, "become true"),
    "goes": (_gone, "be removed"),
}
"""By name: the test, and the words after "may only"."""

FOLLOWING = ("next network", "own node", "own address", "pod address", "new network", "new namespace", "new NAD")
"""Transitions of values that say again what another one says: they must have followed it in the newest state."""
