# SPDX-License-Identifier: Apache-2.0
"""NMState's webhooks for policies: they reset the status of an older generation, and refuse some changes."""

from __future__ import annotations

import re
import time

from ..apiserver.admission import AdmissionRequest
from ..apiserver.core import ApiCore
from ..apiserver.objects import Obj
from ..apiserver.status_errors import forbidden
from ..kube.errors import ApiError
from ..kube.timestamps import timestamp
from .kinds import NMSTATE, POLICIES

STAMP = "nmstate.io/webhook-mutating-timestamp"
CONDITIONS = ("Available", "Degraded", "Progressing", "Ignored")
PROGRESSING = "ConfigurationProgressing"
RULE = "nmstate-nncp-validation-policy"
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
LONGEST = 63


class Webhooks:
    """Active once an NMState object exists; without one, policies are not handled."""

    def __init__(self, core: ApiCore) -> None:
        self._core = core

    def register(self) -> None:
        admission, policies = self._core.admission, POLICIES.key
        admission.mutating(policies, ("CREATE", "UPDATE"), self.reset)
        admission.mutating(policies, ("UPDATE",), self.stamp, subresource="status")
        admission.validating(policies, ("CREATE", "UPDATE"), self.check)

    def _deployed(self) -> bool:
        return bool(self._core.items(NMSTATE))

    async def reset(self, request: AdmissionRequest) -> None:
        new, old = request.new, request.old
        if new is None or not self._deployed():
            return
        await self.stamp(request)
        if old is None or old.get("spec") != new.get("spec"):
            now = timestamp()
            unknown = {"status": "Unknown", "lastHeartbeatTime": now, "lastTransitionTime": now}
            new["status"] = {"conditions": [{"type": kind} | unknown for kind in CONDITIONS]}

    async def stamp(self, request: AdmissionRequest) -> None:
        """Sets a timestamp on every write, so that no two policies have the same one."""
        if request.new is not None and self._deployed():
            meta = request.new["metadata"]
            meta["annotations"] = {**(meta.get("annotations") or {}), STAMP: str(time.time_ns())}

    async def check(self, request: AdmissionRequest) -> None:
        new, old = request.new, request.old
        if new is None or not self._deployed():
            return
        spec = new.get("spec") or {}
        if not _is_label_value(request.name):
            why = "must be no more than 63 characters or match label value format"
            raise _refused(request, f'invalid policy name: "{request.name}": {why}')
        for key, value in (spec.get("nodeSelector") or {}).items():
            if not _is_label_value(value):
                raise _refused(request, f"invalid node selector: {key}: {value}")
        if old is None or old.get("spec") == spec:
            return
        before = old.get("spec") or {}
        if before.get("capture") and before["capture"] != spec.get("capture"):
            raise _refused(request, "invalid policy operation: capture field cannot be modified")
        if not _is_finished(old):
            raise _refused(request, f"policy {request.name} is still in progress")


def _is_label_value(text: str) -> bool:
    return len(text) <= LONGEST and LABEL_VALUE.fullmatch(text) is not None


def _refused(request: AdmissionRequest, why: str) -> ApiError:
    how = f"ValidatingAdmissionPolicy '{RULE}' with binding '{RULE}-binding' denied request"
    return forbidden(POLICIES, request.name, f"{how}: {why}")


def _is_finished(policy: Obj) -> bool:
    conditions = (policy.get("status") or {}).get("conditions") or []
    reason = next((c.get("reason", "") for c in conditions if c["type"] == "Available"), "")
    return reason not in ("", PROGRESSING)
