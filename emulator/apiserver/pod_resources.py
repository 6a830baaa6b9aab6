# SPDX-License-Identifier: Apache-2.0
"""What a pod asks for, as quotas and limit ranges count it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from emulator.kube.quantities import parse

from .objects import Obj

Amounts = dict[str, Fraction]


def all_containers(pod: Obj) -> list[Obj]:
    spec = pod["spec"]
    return [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]


def amounts(container: Obj, kind: str) -> Amounts:
    """The ``requests`` or ``limits`` of a container; a request that is not given is its limit."""
    resources = container.get("resources") or {}
    given = resources.get(kind) or {}
    if kind == "requests":
        given = {**(resources.get("limits") or {}), **given}
    return {name: parse(value) for name, value in given.items()}


def total(pod: Obj, kind: str) -> Amounts:
    """The sum of a pod's containers. Init containers that run on count in the sum, others for their time only."""
    spec = pod["spec"]
    running = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    passing = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") != "Always"]
    found = _sum(amounts(container, kind) for container in [*(spec.get("containers") or []), *running])
    beside = _sum(amounts(container, kind) for container in running)
    for container in passing:
        for name, value in amounts(container, kind).items():
            found[name] = max(found.get(name, Fraction(0)), value + beside.get(name, Fraction(0)))
    for name, value in ((spec.get("overhead") or {}) if found else {}).items():
        found[name] = found.get(name, Fraction(0)) + parse(value)
    return found


def _sum(parts: Iterable[Amounts]) -> Amounts:
    found: Amounts = {}
    for part in parts:
        for name, value in part.items():
            found[name] = found.get(name, Fraction(0)) + value
    return found
