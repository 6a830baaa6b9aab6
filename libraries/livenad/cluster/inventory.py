# SPDX-License-Identifier: Apache-2.0
"""The inventory of a cluster: what was found, and a remedy for what is missing."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import get_args

from livenad.cluster import environment
from livenad.cluster.capabilities import CAPABILITIES, Capabilities, CapabilityName
from livenad.cluster.environment import Lab, Measured
from livenad.cluster.preflight import CHECKS, CheckName, Preflight
from livenad.errors import LabError

_AT_ONCE = 8
_ENVIRONMENT: dict[str, tuple[Callable[[Lab], Measured], str]] = {
    "platform": (environment.platform, ""),
    "nmstate": (
        environment.nmstate,
        "install its operator and create NMState/nmstate, or configure bridges on the nodes yourself",
    ),
    "ovn-kubernetes": (environment.ovn_kubernetes, "only localnet networks need it"),
    "bridge-cni": (environment.bridge_plugin, "install the CNI plugin bridge on every node"),
}


@dataclass(frozen=True)
class Row:
    """A line of the table. ``there``: whether it is as required, None when unknown."""

    name: str
    there: bool | None
    value: str
    remedy: str

    @property
    def verdict(self) -> str:
        return {True: "yes", False: "no", None: "unknown"}[self.there]

    def __str__(self) -> str:
        remedy = "" if self.there or not self.remedy else f"; remedy: {self.remedy}"
        return f"{self.verdict}: {self.value}{remedy}"


def survey(lab: Lab, capabilities: Capabilities, preflight: Preflight) -> list[Row]:
    """Read all rows in parallel. A row is unknown when the API server answers with an error."""
    looks = [
        *(partial(_necessity, preflight, name) for name in CHECKS),
        *(partial(_environment, lab, name) for name in _ENVIRONMENT),
        *(partial(_capability, capabilities, name) for name in get_args(CapabilityName)),
    ]
    facts = lab.facts
    first = [
        Row("api", True, f"{facts.server}, Kubernetes {facts.server_version}", ""),
        Row("user", None if facts.user.startswith("unknown") else True, facts.user, ""),
    ]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return first + list(pool.map(lambda look: look(), looks))


def _necessity(preflight: Preflight, name: CheckName) -> Row:
    try:
        found = preflight.find(name)
    except LabError as error:
        return Row(name, None, f"could not be read: {error}", "")
    return Row(name, not found.lacks if found.known else None, found.value, "; ".join(found.lacks))


def _environment(lab: Lab, name: str) -> Row:
    measure, remedy = _ENVIRONMENT[name]
    try:
        found = measure(lab)
    except LabError as error:
        return Row(name, None, f"could not be read: {error}", "")
    return Row(name, found.there, found.value, remedy)


def _capability(capabilities: Capabilities, name: CapabilityName) -> Row:
    try:
        found = capabilities.measured(name)
    except LabError as error:
        return Row(name, None, f"could not be read: {error}", "")
    return Row(name, found.there, found.value, CAPABILITIES[name].remedy)
