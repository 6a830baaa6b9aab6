# SPDX-License-Identifier: Apache-2.0
"""Which flow is which recording: version and name, profile of the embedded cluster, flow, options of the lab."""

from __future__ import annotations

from typing import Any

from emulator.fault_points import Defect, FaultPoints

from . import admitted, combined, configured, evicted, repeated
from .acts import Flow

PROFILES = {"main": "main", "1.9.0": "1.9", "1.8.4": "1.8-gate"}
LOSES_THE_RACE: dict[str, Any] = {
    "fault_points": FaultPoints(
        [Defect("wedged", "the race is lost", (), "vmi.waits_for_hand_over", lambda value, **context: False)]
    )
}
BY_DISK: dict[str, Any] = {"migratable": configured.BY_DISK}
BY_BINDING: dict[str, Any] = {"migratable": configured.BY_BINDING}
IN_PLACE: dict[str, Any] = {"dynamic_networks": True}
ALL = ("main", "1.9.0", "1.8.4")
HEAD, NEW, OLD_AND_HEAD = ("main",), ("main", "1.9.0"), ("main", "1.8.4")

# Name of the recording: its flow, the versions that it was recorded with, options of the lab.
RECORDED: dict[str, tuple[Flow, tuple[str, ...], dict[str, Any]]] = {
    "ab-basic": (configured.basic, HEAD, {}),
    "b-again": (configured.again, HEAD, {}),
    "b-basic": (configured.basic, ALL, {}),
    "b0-default-gates": (configured.default_gates, ("1.8.4",), {}),
    "c1-disabled-gate": (configured.gate_disabled, HEAD, {}),
    "c2-stage": (configured.stage, OLD_AND_HEAD, {}),
    "c3-no-methods": (configured.no_methods, HEAD, {}),
    "c4-evict": (configured.evict, HEAD, {}),
    "c5-no-methods-then-enabled": (configured.methods_later, HEAD, {}),
    "c6-enabled-gate": (configured.gate_listed, HEAD, {}),
    "d1-nonmigratable": (configured.not_migratable, ALL, BY_DISK),
    "d2-nonmigratable-bridge-podnet": (configured.pod_network_bridged, ALL, BY_BINDING),
    "d3-becomes-migratable": (configured.becomes_migratable, NEW, {}),
    "e-two-nets": (combined.two_networks, HEAD, {}),
    "e3-swap": (combined.swapped, HEAD, {}),
    "f1-hotplug": (combined.hotplug, HEAD, {}),
    "f2-hotunplug": (combined.hotunplug, HEAD, {}),
    "f3-hotplug-and-nad": (combined.hotplug_and_swap, HEAD, {}),
    "f4-unplug-and-nad": (combined.unplug_and_swap, HEAD, {}),
    "f5-unplug-same-nad": (combined.unplug_the_swapped, HEAD, {}),
    "f6-remove-from-spec": (combined.removed_from_spec, HEAD, {}),
    "f7-hotplug-dynnet": (combined.hotplug_in_place, HEAD, IN_PLACE),
    "f8-hotplug-and-nad-dynnet": (combined.hotplug_and_swap, HEAD, IN_PLACE),
    "g1-nad-and-cores": (combined.with_cores, ALL, {}),
    "g2-nad-and-model": (combined.with_model, HEAD, {}),
    "g3-nad-and-binding": (combined.with_binding, HEAD, {}),
    "g4-nad-and-mac": (combined.with_mac, HEAD, {}),
    "g5-nad-and-sockets": (combined.with_sockets, HEAD, {}),
    "g6-nad-after-restartrequired": (combined.after_restart_required, HEAD, {}),
    "g7-nad-and-default": (combined.renamed, HEAD, {}),
    "g8-linkstate": (combined.with_link_down, HEAD, {}),
    "h1-missing-nad": (repeated.missing_made_later, HEAD, {}),
    "h2-missing-then-revert": (repeated.missing_reverted, ALL, {}),
    "h3-missing-then-other": (repeated.missing_then_other, HEAD, {}),
    "h4-missing-timeout": (repeated.missing_for_good, HEAD, {}),
    "i2-revert-running": (repeated.reverted_while_running, HEAD, LOSES_THE_RACE),
    "i3-third-running": (repeated.third_while_running, NEW, LOSES_THE_RACE),
    "i4-third-quick": (repeated.third_at_once, HEAD, {}),
    "i5-revert-scheduling": (repeated.reverted_while_scheduling, HEAD, {}),
    "i6-stuck-then-back": (repeated.stuck_then_back, HEAD, LOSES_THE_RACE),
    "i7-stuck-then-delete-vmim": (repeated.stuck_then_deleted, HEAD, LOSES_THE_RACE),
    "i8-stuck-then-user-vmim": (repeated.stuck_then_migrated, HEAD, LOSES_THE_RACE),
    "i9-third-running-gap0": (repeated.third_without_gap, HEAD, {}),
    "i10-third-running-gap2": (repeated.third_while_running, HEAD, LOSES_THE_RACE),
    "j1-stopped": (configured.stopped, HEAD, {}),
    "j2-other-ns": (combined.other_namespace, HEAD, {}),
    "j3-same-nad-qualified": (combined.same_qualified, HEAD, {}),
    "j4-starting": (configured.starting, ALL, {}),
    "j5-paused": (repeated.waits_then_runs, HEAD, {}),
    "k-admission": (admitted.odd_names, HEAD, {}),
    "k2-same-nad-two-ifaces": (combined.both_on_one, HEAD, {}),
    "l1-migration-fails": (repeated.fails, HEAD, {}),
    "l2-vmim-deleted": (repeated.deleted, HEAD, {}),
    "l3-restart-while-pending": (repeated.restarted, HEAD, {}),
    "l4-stop-during-migration": (repeated.stopped_while_pending, HEAD, {}),
    "m1-evacuation": (evicted.alone, ("1.9.0",), {}),
    "m2-evacuation-during-swap": (evicted.during_a_swap, NEW, {}),
    "m3-swap-during-evacuation": (evicted.swap_while_running, NEW, LOSES_THE_RACE),
    "m4-drain": (evicted.drained, NEW, {}),
    "m5-eviction-strategies": (evicted.strategies, ("1.9.0",), {}),
    "m6-eviction-after-stuck-vmim": (evicted.again_when_stuck, HEAD, LOSES_THE_RACE),
    "q2-no-podnet": (combined.no_pod_network, HEAD, {}),
    "q-default-multus": (combined.default_of_multus, HEAD, {}),
    "v-unschedulable": (repeated.unschedulable, HEAD, {}),
    "w-batch": (repeated.batch, HEAD, {}),
    "x-change-before-running": (configured.never_running, HEAD, {}),
}
# By chance the recorded migration had got further or less far when the edit was taken back.
REVERTED: dict[str, Flow] = {
    "main": repeated.reverted_while_pending,
    "1.9.0": repeated.reverted_while_scheduling,
    "1.8.4": repeated.reverted_before_migration,
}
# By chance the race at the end of the evacuation was won in one recording and lost in the other.
M3B = "m3b-swap-early-in-evacuation"
EDITED_EARLY: list[tuple[str, str, Flow, dict[str, Any]]] = [
    ("1.9.0", M3B, evicted.swap_before_copying, {}),
    ("main", M3B, evicted.swap_before_copying_lost, LOSES_THE_RACE),
]
CASES = [
    (version, name, flow, options) for name, (flow, versions, options) in RECORDED.items() for version in versions
] + [(version, "i1-revert-quick", flow, {}) for version, flow in REVERTED.items()]
CASES += [*EDITED_EARLY, ("main", "m1-evacuation", evicted.alone_and_once_more, {})]


def profile_of(version: str, name: str) -> str:
    return "1.8" if name == "b0-default-gates" else PROFILES[version]
