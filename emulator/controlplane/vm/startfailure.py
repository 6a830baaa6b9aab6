# SPDX-License-Identifier: Apache-2.0
"""Start failures: a VM whose VMI failed before it ran is started again with growing delays."""

from __future__ import annotations

import math
from datetime import timedelta

from emulator.controlplane.accessors import Obj, phase
from emulator.kube.timestamps import now, parse_timestamp, timestamp
from emulator.pace import Pace

FIRST_SECONDS = 10.0
LAST_SECONDS = 300.0


def sync_start_failure(vm: Obj, vmi: Obj | None, pace: Pace) -> None:
    """Records a new failure in ``vm["status"]``, or removes the record once a VMI has run."""
    status = vm["status"]
    if vmi is None:
        return
    if _has_run(vmi):
        status.pop("startFailure", None)
        return
    known = status.get("startFailure") or {}
    if phase(vmi) != "Failed" or known.get("lastFailedVMIUID") == vmi["metadata"]["uid"]:
        return
    count = int(known.get("consecutiveFailCount", 0)) + 1
    delay = min(FIRST_SECONDS * count**2, LAST_SECONDS)
    # Timestamps are whole seconds: rounded up, because a short delay would otherwise be over before it began.
    retry = now() + timedelta(seconds=math.ceil(pace.seconds(delay)))
    status["startFailure"] = {
        "consecutiveFailCount": count,
        "lastFailedVMIUID": vmi["metadata"]["uid"],
        "retryAfterTimestamp": timestamp(retry),
    }


def seconds_to_wait(vm: Obj) -> float:
    """Seconds of this process until the next start; 0 if it may start now."""
    failure = vm.get("status", {}).get("startFailure")
    if not failure:
        return 0.0
    left = parse_timestamp(failure["retryAfterTimestamp"]) - now()
    return max(0.0, left.total_seconds())


def _has_run(vmi: Obj) -> bool:
    entries = vmi["status"].get("phaseTransitionTimestamps") or []
    return phase(vmi) == "Running" or any(entry["phase"] == "Running" for entry in entries)
