# SPDX-License-Identifier: Apache-2.0
"""Co-location: VMs on one node. On node-local bridges a guest reaches only guests on its own node."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import MIGRATION, NODE, VMI, Object, meta
from livenad.api.recorder import Recorder
from livenad.api.status import FINAL_PHASES, is_true, node_of, phase_of, vm_summary
from livenad.errors import LabError
from livenad.model import VmRecord
from livenad.text import human
from livenad.virtual_machines.actions import request_action

_HOSTNAME = "kubernetes.io/hostname"


def colocate(client: Cluster, recorder: Recorder, vms: Sequence[VmRecord], vm: str, within: float) -> list[str]:
    """Live-migrate the running VMs of the suite to the node of ``vm``; returns the names of those that moved.

    Without ``vm``, to the node of a non-migratable VM, else to the node with the most VMs. LabError when one is not
    there after ``within`` seconds.
    """
    recorder.catch_up()
    history = recorder.history
    node = _node(history, vm) if vm else _common_node(history, vms)
    moving = [
        record
        for record in vms
        if record.name != vm and _may_move(history, record) and _node(history, record.name) not in ("", node)
    ]
    if not node or not moving:
        return []
    title = f"guests of {recorder.namespace} on node {node}"
    deadline = time.monotonic() + within

    def under_way() -> list[str]:
        return [record.name for record in moving if not _is_settled(history, record)]

    def away() -> list[str]:
        return [f"{record.name}: {vm_summary(history, record.name)}" for record in moving if not is_there(record)]

    def is_there(record: VmRecord) -> bool:
        vmi = history.current(VMI, record.name) or {}
        return node_of(vmi) == node and is_true(vmi, "Ready") and _is_settled(history, record)

    # A VM that is being migrated cannot be migrated at the same time, and may arrive by that migration.
    recorder.wait_for(
        lambda _: not under_way(), within, title, lambda: f"still being migrated: {', '.join(under_way())}"
    )
    selector = {_HOSTNAME: hostname_of(client, node)}
    for record in moving:
        if not is_there(record):
            request_action(client, recorder, record, "migrate", {"addedNodeSelector": selector})
    if not recorder.wait_for(lambda _: not away(), deadline - time.monotonic(), title, lambda: "; ".join(away())):
        raise LabError(
            f"expected the {title} within {human(within)}, as their networks are local to each node; "
            f"{'; '.join(away())}"
        )
    return [record.name for record in moving]


def _is_settled(history: History, record: VmRecord) -> bool:
    return all(phase_of(item) in FINAL_PHASES for item in history.by_uid(MIGRATION, record.name).values())


def _common_node(history: History, records: Sequence[VmRecord]) -> str:
    nodes = Counter(node for record in records if (node := _node(history, record.name)))
    fixed = [_node(history, record.name) for record in records if not _may_move(history, record)]
    return next(filter(None, fixed), "") or next((node for node, _ in nodes.most_common(1)), "")


def _may_move(history: History, record: VmRecord) -> bool:
    """An existing VM is never moved. Whether a VM from a manifest is migratable is read from its VMI."""
    if record.origin == "manifest":
        return is_true(history.current(VMI, record.name) or {}, "LiveMigratable")
    return record.origin == "suite" and record.can_migrate


def _node(history: History, vm: str) -> str:
    return node_of(history.current(VMI, vm) or {})


def hostname_of(client: Cluster, node: str) -> str:
    """The label value that selects a node; it can differ from the node's name, which stands for it where the user may
    not read nodes.
    """
    try:
        labels: Object = meta(client.find(NODE, node) or {}, "labels", {})
    except ApiError as error:
        if error.status != 403:
            raise
        return node
    return str(labels.get(_HOSTNAME, node))
