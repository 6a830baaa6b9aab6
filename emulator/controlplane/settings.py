# SPDX-License-Identifier: Apache-2.0
"""The cluster's configuration in the KubeVirt CR."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .profile import LIVE_UPDATE_NAD, Profile

Obj = dict[str, Any]

MIGRATION_DEFAULTS: Obj = {
    "allowAutoConverge": False,
    "allowPostCopy": False,
    "allowWorkloadDisruption": False,
    "bandwidthPerMigration": "0",
    "completionTimeoutPerGiB": 150,
    "maxDowntimeMs": 900,
    "nodeDrainTaintKey": "kubevirt.io/drain",
    "parallelMigrationsPerCluster": 5,
    "parallelOutboundMigrationsPerNode": 2,
    "progressTimeout": 150,
    "unsafeMigrationOverride": False,
    "utilityVolumesTimeout": 150,
}


class Settings:
    """Read from the CR on each call, so an edit of the CR takes effect at once."""

    def __init__(self, profile: Profile, kubevirt: Callable[[], Obj | None]) -> None:
        self.profile = profile
        self._kubevirt = kubevirt

    @property
    def kubevirt(self) -> Obj | None:
        return self._kubevirt()

    @property
    def _spec(self) -> Obj:
        found = self._kubevirt()
        return dict(found.get("spec") or {}) if found else {}

    @property
    def _configuration(self) -> Obj:
        return dict(self._spec.get("configuration") or {})

    @property
    def deployed(self) -> bool:
        """Whether the workload updater may act."""
        found = self._kubevirt()
        status = (found or {}).get("status") or {}
        same = status.get("observedDeploymentID") == status.get("targetDeploymentID")
        return status.get("phase") == "Deployed" and same

    def gate(self, name: str) -> bool:
        """Whether a feature gate is on, by the rules of this version."""
        if name in self.profile.ga_gates:
            return True
        developer = self._configuration.get("developerConfiguration") or {}
        if name in (developer.get("featureGates") or []):
            return True
        if name in (developer.get("disabledFeatureGates") or []):
            return False
        return self.profile.beta_gates_on and name in self.profile.beta_gates

    @property
    def live_updates_nad(self) -> bool:
        if self.profile.live_update == "gate":
            return self.gate(LIVE_UPDATE_NAD)
        return self.profile.live_update == "always"

    @property
    def reads_nads(self) -> bool:
        """Whether virt-controller itself reads a NAD before it renders a pod."""
        return not self.gate("ExternalNetResourceInjection")

    @property
    def sets_priority(self) -> bool:
        return self.profile.priority or self.gate("MigrationPriorityQueue")

    @property
    def rollout_live_update(self) -> bool:
        return bool(self._configuration.get("vmRolloutStrategy", "LiveUpdate") == "LiveUpdate")

    @property
    def eviction_strategy(self) -> str:
        """That of a VM which names none."""
        return str(self._configuration.get("evictionStrategy") or "None")

    @property
    def default_binding(self) -> str:
        """The binding of a NIC that a VM gets because it names none."""
        return str((self._configuration.get("network") or {}).get("defaultNetworkInterface") or "bridge")

    @property
    def update_methods(self) -> list[str]:
        strategy = self._spec.get("workloadUpdateStrategy") or {}
        return list(strategy.get("workloadUpdateMethods") or [])

    @property
    def eviction_batch(self) -> int:
        strategy = self._spec.get("workloadUpdateStrategy") or {}
        return int(strategy.get("batchEvictionSize") or 10)

    @property
    def migrations(self) -> Obj:
        """The resolved migration configuration, every field set."""
        found = {**MIGRATION_DEFAULTS, **(self._configuration.get("migrations") or {})}
        if not self.profile.max_downtime:
            found.pop("maxDowntimeMs")
        return dict(sorted(found.items()))

    @property
    def parallel_migrations(self) -> int:
        return int(self.migrations["parallelMigrationsPerCluster"])

    @property
    def outbound_migrations(self) -> int:
        return int(self.migrations["parallelOutboundMigrationsPerNode"])
