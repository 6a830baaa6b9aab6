# SPDX-License-Identifier: Apache-2.0
"""LimitRanges of containers and pods: the defaults that new pods get, and the bounds that they must keep."""

from __future__ import annotations

from fractions import Fraction

from emulator.kube.quantities import is_binary, parse, show

from . import pod_resources
from . import status_errors as fail
from .admission import AdmissionRequest
from .core import ApiCore
from .objects import Obj

RANGES = "limitranges"
Amounts = dict[str, Fraction]


class LimitRanges:
    def __init__(self, core: ApiCore) -> None:
        self._core = core

    def register(self) -> None:
        self._core.admission.mutating("pods", ("CREATE",), self._complete)
        self._core.admission.validating("pods", ("CREATE",), self._check)

    def _limits(self, namespace: str, kind: str) -> list[Obj]:
        ranges = self._core.items(self._core.resource(RANGES), namespace)
        limits = [limit for item in ranges for limit in (item.obj.get("spec") or {}).get("limits") or []]
        return [limit for limit in limits if limit.get("type") == kind]

    async def _complete(self, request: AdmissionRequest) -> None:
        for limit in self._limits(request.namespace, "Container") if request.new else ():
            bounds = limit.get("default") or limit.get("max") or {}
            asked = {
                **bounds,
                **(limit.get("min") or {}),
                **(limit.get("defaultRequest") or limit.get("default") or {}),
            }
            for container in pod_resources.all_containers(request.new or {"spec": {}}):
                resources = container.setdefault("resources", {})
                own = resources.get("limits") or {}
                if bounds:
                    resources["limits"] = {**bounds, **own}
                if asked:
                    resources["requests"] = {**asked, **{k: own[k] for k in own if k in asked}} | (
                        resources.get("requests") or {}
                    )

    async def _check(self, request: AdmissionRequest) -> None:
        if request.new is None:
            return
        wrong: list[str] = []
        for limit in self._limits(request.namespace, "Container"):
            for container in pod_resources.all_containers(request.new):
                amounts = [pod_resources.amounts(container, kind) for kind in ("requests", "limits")]
                wrong += _violations("Container", limit, *amounts)
        for limit in self._limits(request.namespace, "Pod"):
            wrong += _violations(
                "Pod", limit, *(pod_resources.total(request.new, kind) for kind in ("requests", "limits"))
            )
        if wrong:
            said = wrong[0] if len(wrong) == 1 else f"[{', '.join(dict.fromkeys(wrong))}]"
            raise fail.forbidden(self._core.resource("pods"), request.name, said)


def _violations(kind: str, limit: Obj, requests: Amounts, limits: Amounts) -> list[str]:
    found = []
    for name, bound in sorted((limit.get("min") or {}).items()):
        least = f"minimum {name} usage per {kind} is {bound}"
        if name not in requests:
            found.append(f"{least}.  No request is specified")
        elif requests[name] < parse(bound):
            found.append(f"{least}, but request is {_shown(requests[name], bound)}")
        elif name in limits and limits[name] < parse(bound):
            found.append(f"{least}, but limit is {_shown(limits[name], bound)}")
    for name, bound in sorted((limit.get("max") or {}).items()):
        most = f"maximum {name} usage per {kind} is {bound}"
        if name not in limits:
            found.append(f"{most}.  No limit is specified")
        elif limits[name] > parse(bound):
            found.append(f"{most}, but limit is {_shown(limits[name], bound)}")
        elif name in requests and requests[name] > parse(bound):
            found.append(f"{most}, but request is {_shown(requests[name], bound)}")
    return found


def _shown(value: Fraction, like: object) -> str:
    return show(value, binary=is_binary(like))
