# SPDX-License-Identifier: Apache-2.0
"""The platforms. Only data: every process of the cluster reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Platform:
    """One platform.

    ``kubevirt_namespace`` and ``kubevirt_name`` are those of the KubeVirt CR. ``open_namespaces`` are those whose NADs
    every pod may use; None if Multus does not isolate namespaces. ``releases`` maps a KubeVirt profile to the
    platform's own release that ships it. ``nmstate`` tells whether NMState's policies configure the nodes.
    """

    name: str
    kubevirt_namespace: str
    kubevirt_name: str
    open_namespaces: tuple[str, ...] | None = None
    releases: Mapping[str, str] = field(default_factory=dict)
    nmstate: bool = False

    @property
    def owns_kubevirt(self) -> bool:
        """Whether an operator of the platform reconciles the KubeVirt CR."""
        return bool(self.releases)

    def service_account(self, name: str) -> str:
        """The user name of one of KubeVirt's service accounts."""
        return f"system:serviceaccount:{self.kubevirt_namespace}:{name}"


KUBERNETES = Platform("kubernetes", "kubevirt", "kubevirt")
OPENSHIFT = Platform(
    "openshift",
    "openshift-cnv",
    "kubevirt-kubevirt-hyperconverged",
    open_namespaces=("default", "openshift-multus", "openshift-sriov-network-operator", "openshift-cnv"),
    releases={"1.7": "4.21.8", "1.8": "4.22.3", "1.8-gate": "4.22.3", "1.9": "4.23.0", "main": "4.24.0"},
    nmstate=True,
)
PLATFORMS = {platform.name: platform for platform in (KUBERNETES, OPENSHIFT)}
DEFAULT = KUBERNETES.name


def platform_for(name: str) -> Platform:
    """The platform of that name; ValueError lists the existing ones."""
    try:
        return PLATFORMS[name]
    except KeyError:
        raise ValueError(f"no platform is called {name!r}; there are: {', '.join(PLATFORMS)}") from None
