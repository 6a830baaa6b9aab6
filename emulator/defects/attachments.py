# SPDX-License-Identifier: Apache-2.0
"""Launcher pods are attached to other networks than they should be, or say so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..controlplane import names
from ..controlplane.accessors import labels_of
from ..controlplane.network.evaluator import Need
from ..controlplane.network.pod_interfaces import networks_annotation, wanted_attachments
from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent.cni import Attachment
from ..nodeagent.sandboxes import Sandbox


def _and_content(need: Need, *, pod: Obj, **_: Any) -> Need:
    """Without this the cluster would go on migrating for ever."""
    return Need.NONE if names.MIGRATION_JOB_UID in pod["metadata"].get("labels", {}) else need


def _on_old_bridge(attachments: list[Attachment], *, siblings: list[Sandbox], pod: Obj, **_: Any) -> list[Attachment]:
    """A node that finds the wished VLAN on the bridge that it has, and looks no further."""
    if names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = {attachment.interface: attachment.segment for attachment in siblings[-1].attachments}
    return [
        replace(wished, segment=replace(wished.segment, bridge=before[wished.interface].bridge))
        if wished.interface in before
        else wished
        for wished in attachments
    ]


BRIDGE_STAYS_AFTER_MIGRATION = Defect(
    name="bridge-stays-after-migration",
    sentence="The target pod is plugged into the bridge that the source pod is on; only its VLAN is the new one. All "
    "that the API shows is as it should be.",
    rows=("R36",),
    point="agent.pod_attachments",
    change=_on_old_bridge,
)


def _old_wires(attachments: list[Attachment], *, pod: Obj, siblings: list[Sandbox], **_: Any) -> list[Attachment]:
    if names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = siblings[-1].segments
    return [replace(one, segment=before.get(one.interface, one.segment)) for one in attachments]


DATA_PLANE_KEEPS_OLD_NETWORK = Defect(
    name="data-plane-keeps-old-network",
    sentence="Everything in the API names the new network; the target pod is wired to the previous one.",
    rows=("R1", "R9"),
    point="agent.pod_attachments",
    change=_old_wires,
)


class _Later:
    """Counts the migrations of each VMI, and remembers what its first pod was plugged into."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str, Attachment]] = {}
        self._migrations: dict[str, set[str]] = {}

    def attachments(self, wished: list[Attachment], *, pod: Obj, **_: Any) -> list[Attachment]:
        owner = labels_of(pod).get(names.CREATED_BY, "")
        first = self._first.setdefault(owner, {one.interface: one for one in wished})
        return [first.get(one.interface, one) for one in wished] if self._is_later(owner, pod) else wished

    def need(self, need: Need, *, vmi: Obj, pod: Obj, **_: Any) -> Need:
        """Without this the cluster would mend it by a further migration."""
        return Need.NONE if self._is_later(vmi["metadata"]["uid"], pod) else need

    def _is_later(self, owner: str, pod: Obj) -> bool:
        made = self._migrations.setdefault(owner, set())
        if job := labels_of(pod).get(names.MIGRATION_JOB_UID):
            made.add(job)
        return len(made) > 1


_later = _Later()


LATER_MIGRATION_BRINGS_OLD_NETWORK_BACK = Defect(
    name="later-migration-brings-old-network-back",
    sentence="The second migration of a VM, whatever it is for, takes its NICs to the networks that it was started "
    "with.",
    rows=("R5", "R10", "R38"),
    point="agent.pod_attachments",
    change=_later.attachments,
    also=(("vmi.migration_required", _later.need),),
)


def _on_old_vlan(attachments: list[Attachment], *, siblings: list[Sandbox], pod: Obj, **_: Any) -> list[Attachment]:
    """A switch port that is found by the pod interface's name, and is taken over with its tag."""
    if names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = {attachment.interface: attachment.segment for attachment in siblings[-1].attachments}
    return [
        replace(wished, segment=replace(wished.segment, vlan=before[wished.interface].vlan))
        if wished.segment.kind == "localnet" and wished.interface in before
        else wished
        for wished in attachments
    ]


LOCALNET_KEEPS_OLD_VLAN = Defect(
    name="localnet-keeps-old-vlan",
    sentence="The target pod's port on a localnet network has the VLAN of the source pod's port. All that the API "
    "shows is as it should be.",
    rows=("R26",),
    point="agent.pod_attachments",
    change=_on_old_vlan,
)


def _another_vlan(attachments: list[Attachment], *, pod: Obj, siblings: list[Sandbox], **_: Any) -> list[Attachment]:
    if names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = siblings[-1].segments
    return [
        one if before.get(one.interface) == one.segment else replace(one, segment=replace(one.segment, vlan=4000))
        for one in attachments
    ]


NEW_NETWORK_ON_WRONG_VLAN = Defect(
    name="new-network-on-wrong-vlan",
    sentence="The target pod is plugged into a VLAN that is neither the old network nor the new one.",
    rows=("R1",),
    point="agent.pod_attachments",
    change=_another_vlan,
)


def _in_own_namespace(wanted: list[Obj], *, vmi: Obj, **_: Any) -> list[Obj]:
    return [entry | {"namespace": vmi["metadata"]["namespace"]} for entry in wanted]


NAD_NAMESPACE_IGNORED = Defect(
    name="nad-namespace-ignored",
    sentence="The namespace in a networkName is overlooked: the launcher pod gets the NAD of that name in its own.",
    rows=("R37",),
    point="pod.networks",
    change=_in_own_namespace,
    also=(("vmi.migration_required", _and_content),),
)


class _Stale:
    """Remembers what was first reported of each interface of a VMI."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], str] = {}

    def __call__(self, entries: list[Obj], *, pod: Obj, **_: Any) -> list[Obj]:
        owner = labels_of(pod).get(names.CREATED_BY, "")
        return [
            entry | {"name": self._first.setdefault((owner, entry["interface"]), entry["name"])} for entry in entries
        ]


def _content(need: Need, *, pod: Obj, **_: Any) -> Need:
    """Without this the cluster would go on migrating for ever."""
    return Need.NONE if names.MIGRATION_JOB_UID in labels_of(pod) else need


NETWORK_STATUS_NAMES_OLD_NETWORK = Defect(
    name="network-status-names-old-network",
    sentence="The VM is on its new network, but the target pod's network-status goes on naming the previous one.",
    rows=("R1",),
    point="agent.network_status",
    change=_Stale(),
    also=(("vmi.migration_required", _content),),
)


JOB_NAME = "kubevirt.io/migrationJobName"


CREATED_BY = "kubevirt.io/created-by"


class _FirstNetworks:
    """Remembers what the first pod of each VMI was plugged into."""

    def __init__(self) -> None:
        self._first: dict[str, list[Attachment]] = {}

    def __call__(self, attachments: list[Attachment], *, pod: Obj, **_: Any) -> list[Attachment]:
        first = self._first.setdefault(pod["metadata"]["labels"][CREATED_BY], attachments)
        return first if _is_by_hand(pod) else attachments


def _is_by_hand(pod: Obj) -> bool:
    return str(pod["metadata"].get("annotations", {}).get(JOB_NAME, "")).startswith("kubevirt-migrate-vm-")


def _old_network_after_manual_migration(need: Need, *, pod: Obj, **_: Any) -> Need:
    """Without this the cluster would mend it by a further migration."""
    return Need.NONE if _is_by_hand(pod) else need


OLD_NETWORK_AFTER_MANUAL_MIGRATION = Defect(
    name="old-network-after-manual-migration",
    sentence="A migration on request takes a swapped VM back to the network that it was started with.",
    rows=("R10", "R35"),
    point="agent.pod_attachments",
    change=_FirstNetworks(),
    also=(("vmi.migration_required", _old_network_after_manual_migration),),
)


def _first_one_only(attachments: list[Attachment], *, siblings: list[Sandbox], pod: Obj, **_: Any) -> list[Attachment]:
    if names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = {attachment.interface: attachment for attachment in siblings[-1].attachments}
    changed = [wished for wished in attachments if before.get(wished.interface, wished).segment != wished.segment]
    return [before[wished.interface] if wished in changed[1:] else wished for wished in attachments]


ONLY_ONE_NIC_MOVES = Defect(
    name="only-one-nic-moves",
    sentence="When one edit changes several NICs, only the first one of them is moved.",
    rows=("R27",),
    point="agent.pod_attachments",
    change=_first_one_only,
    also=(("vmi.migration_required", _and_content),),
)


def _not_the_first(attachments: list[Attachment], *, siblings: list[Sandbox], pod: Obj, **_: Any) -> list[Attachment]:
    if names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = {attachment.interface: attachment for attachment in siblings[-1].attachments}
    changed = [wished for wished in attachments if before.get(wished.interface, wished).segment != wished.segment]
    return [before[wished.interface] if wished in changed[:1] else wished for wished in attachments]


ONLY_SECOND_NIC_MOVES = Defect(
    name="only-second-nic-moves",
    sentence="When one edit changes several NICs, the first one of them is left where it is.",
    rows=("R27",),
    point="agent.pod_attachments",
    change=_not_the_first,
    also=(("vmi.migration_required", _and_content),),
)


def _whenever_it_differs(_changed: bool, *, vmi: Obj, pod: Obj, **_: Any) -> bool:
    known = pod["metadata"].get("annotations", {}).get(names.NETWORKS, "")
    return bool(known != networks_annotation(wanted_attachments(vmi)))


SOURCE_POD_IS_REWRITTEN = Defect(
    name="source-pod-is-rewritten",
    sentence="A swap writes the new network to the annotation of the running pod, where a controller acts on it.",
    rows=("R13",),
    point="pod.networks_rewritten",
    change=_whenever_it_differs,
)


def _as_before(attachments: list[Attachment], *, pod: Obj, siblings: list[Sandbox], **_: Any) -> list[Attachment]:
    if names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) or not siblings:
        return attachments
    before = {attachment.interface: attachment for attachment in siblings[-1].attachments}
    return [
        replace(before[wished.interface], mac=wished.mac) if wished.interface in before else wished
        for wished in attachments
    ]


TARGET_POD_GETS_OLD_NETWORK = Defect(
    name="target-pod-gets-old-network",
    sentence="The target pod of a migration is plugged into the networks that the source pod has, not into those of "
    "the VM's spec, and the control plane is content with that.",
    rows=("R1", "R2", "R9"),
    point="agent.pod_attachments",
    change=_as_before,
    also=(("vmi.migration_required", _and_content),),
)


def _crossed(attachments: list[Attachment], *, pod: Obj, siblings: list[Sandbox], **_: Any) -> list[Attachment]:
    """The pod interfaces keep their names and MACs; what they are plugged into changes places."""
    if names.MIGRATION_JOB_UID not in pod["metadata"].get("labels", {}) or not siblings or len(attachments) < 2:
        return attachments
    before = {attachment.interface: attachment for attachment in siblings[-1].attachments}
    moved = [one for one in attachments if before.get(one.interface, one).segment != one.segment]
    others = [one for one in attachments if one not in moved]
    if not moved or not others:
        return attachments
    wrong = {moved[0].interface: before[moved[0].interface], others[0].interface: moved[0]}
    return [
        replace(wrong[one.interface], interface=one.interface, mac=one.mac) if one.interface in wrong else one
        for one in attachments
    ]


WRONG_NIC_MOVES = Defect(
    name="wrong-nic-moves",
    sentence="The VM's other NIC is moved to the new network, and the one that was edited stays where it was.",
    rows=("R1", "R9", "R43"),
    point="agent.pod_attachments",
    change=_crossed,
    also=(("vmi.migration_required", _and_content),),
)
