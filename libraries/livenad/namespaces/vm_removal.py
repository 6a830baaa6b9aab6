# SPDX-License-Identifier: Apache-2.0
"""The removal of a VM that the suite created, and of its records in the suite."""

from __future__ import annotations

import time

from livenad.api.kinds import POD, SECRET, VM, VMI, meta
from livenad.context import SuiteContext
from livenad.errors import LabError
from livenad.model import VmRecord
from livenad.ownership.created_resources import CreatedResources, Entry
from livenad.text import human
from livenad.virtual_machines.manifests import cloud_init_name


def delete_vm(created: CreatedResources, suite: SuiteContext, record: VmRecord, within: float) -> float:
    """Delete the objects that ``created`` has for a VM and wait until they are gone; returns the seconds it took.

    Each object is deleted by its uid. Raises LabError when one remains.
    """
    began = time.monotonic()
    own = {VM: record.name, SECRET: cloud_init_name(record.name)}

    def chosen(entry: Entry) -> bool:
        return entry.namespace == record.namespace and own.get(entry.kind) == entry.name

    suite.guests.forget(record.name)
    if left := created.remove(chosen):
        raise LabError(f"{record.subject} could not be removed: {'; '.join(left)}")
    # What a late watch has not told yet is not gone.
    suite.recorder.catch_up(unless_fresh=True)
    gone = suite.recorder.wait_for(
        lambda _: not _remaining(suite, record.name),
        within,
        f"{record.subject} gone",
        lambda: ", ".join(_remaining(suite, record.name)),
        vms={record.name},
    )
    if not gone:
        raise LabError(
            f"expected {record.subject} to be gone within {human(within)}; still there: "
            f"{', '.join(_remaining(suite, record.name))}"
        )
    suite.vms.forget(record)
    suite.changes.forget(record.name)
    suite.recorded_guests.forget(record.name)
    suite.records.forget(record.name)
    for known in (suite.outages, suite.metrics, suite.induced_failures):
        known.pop(record.name, None)
    return time.monotonic() - began


def _remaining(suite: SuiteContext, vm: str) -> list[str]:
    history = suite.recorder.history
    found = [kind.title(None, vm) for kind in (VM, VMI) if history.current(kind, vm) is not None]
    return found + [f"Pod {meta(pod, 'name')}" for pod in history.all(POD, vm=vm)]
