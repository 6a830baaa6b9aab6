# SPDX-License-Identifier: Apache-2.0
"""``pods/eviction``: admission, disruption budgets, then the pod's mark and deletion."""

from __future__ import annotations

from dataclasses import replace as replaced

from emulator.kube import conditions
from emulator.kube.errors import ApiError

from . import create_update, deletion, disruption
from . import status_errors as fail
from .admission import AdmissionRequest
from .core import ApiCore
from .objects import Obj
from .request_context import Call, DeleteOptions, Target
from .users import ADMIN

EVICTION = "eviction"
UNPROTECTED = ("Succeeded", "Failed", "Pending")
VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
MESSAGE = "Eviction API: evicting"


async def evict(core: ApiCore, call: Call, target: Target, body: Obj) -> None:
    """ApiError if admission or a budget refuses; a dry run only asks."""
    name = (body.get("metadata") or {}).get("name")
    if name != target.name:
        raise fail.bad_request("name in URL does not match name in Eviction object")
    options = body.get("deleteOptions") or {}
    call = replaced(call, dry_run=call.dry_run or bool(options.get("dryRun")))
    request = AdmissionRequest(
        "CREATE", target.resource.key, EVICTION, target.namespace, target.name, call.user, None, body, call.dry_run
    )
    await core.admission.validate(request)
    call.warnings.extend(request.warnings)
    pod = core.get(target.resource, target.namespace, target.name).obj
    if pod.get("status", {}).get("phase") not in UNPROTECTED and "deletionTimestamp" not in pod["metadata"]:
        await _spend(core, call, pod)
    if call.dry_run:
        return
    whole = replaced(target, subresource="")
    await create_update.update(core, call, replaced(target, subresource="status"), _marked)
    wanted = options.get("preconditions") or {}
    deleting = DeleteOptions(
        grace=options.get("gracePeriodSeconds"),
        propagation=options.get("propagationPolicy") or "",
        uid=wanted.get("uid") or pod["metadata"]["uid"],
        resource_version=wanted.get("resourceVersion") or "",
    )
    await deletion.delete(core, call, whole, deleting)


def _marked(pod: Obj) -> Obj:
    why = conditions.new("DisruptionTarget", "True", reason="EvictionByEvictionAPI", message=MESSAGE)
    conditions.put(pod, why)
    return pod


async def _spend(core: ApiCore, call: Call, pod: Obj) -> None:
    """Takes one disruption from the pod's budget; ApiError 429 if it has none left."""
    budgets = disruption.budgets_of(core, pod)
    if len(budgets) > 1:
        raise ApiError(500, "InternalError", f"Internal error occurred: {SEVERAL}", {"causes": [{"message": SEVERAL}]})
    if not budgets or disruption.spares(budgets[0], pod):
        return
    budget = budgets[0]
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if status.get("observedGeneration", 0) < budget["metadata"]["generation"]:
        raise _refused(f"The disruption budget {name} is still being processed by the server.", wait=10)
    if status["disruptionsAllowed"] == 0:
        raise _refused(_why_not(budget))
    if call.dry_run:
        return
    resource = core.resource(disruption.BUDGETS)
    where = Target(resource, budget["metadata"]["namespace"], name, "status")
    spent = Call(user=ADMIN, manager="kube-apiserver")
    await create_update.update(core, spent, where, lambda now: disruption.spent(now, pod["metadata"]["name"]))


def _why_not(budget: Obj) -> str:
    name, status = budget["metadata"]["name"], budget["status"]
    found = conditions.find(budget, disruption.ALLOWED) or {}
    if found.get("reason") == disruption.SYNC_FAILED:
        said = found.get("message", "")
        return f"The disruption budget {name} does not allow evicting pods currently because it failed sync: {said}"
    wanted, now = status["desiredHealthy"], status["currentHealthy"]
    return f"The disruption budget {name} needs {wanted} healthy pods and has {now} currently"


def _refused(why: str, wait: int = 0) -> ApiError:
    details: Obj = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if wait:
        details["retryAfterSeconds"] = wait
    return ApiError(429, "TooManyRequests", VIOLATES, details)
