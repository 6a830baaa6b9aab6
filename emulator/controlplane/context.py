# SPDX-License-Identifier: Apache-2.0
"""What all controllers share: caches, clients with their identities, configuration, pace and fault points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.fault_points import FaultPoints
from emulator.kube.client import Client
from emulator.kube.events import EventRecorder
from emulator.kube.informer import Informer
from emulator.pace import Pace
from emulator.platforms.platform import KUBERNETES, Platform

from . import names
from .accessors import Obj
from .cache import Cache
from .elapsed_times import ElapsedTimes
from .profile import Profile
from .settings import Settings

ClientFor = Callable[[str], Client]
WATCHED = (
    names.VM,
    names.VMI,
    names.MIGRATION,
    names.PODS,
    names.NODES,
    names.NAD,
    names.REVISION,
    names.KUBEVIRT,
    names.NAMESPACES,
    names.QUOTAS,
    names.CLAIM,
    names.DATA_VOLUME,
)


@dataclass
class Shared:
    """``client_for(user name)`` gives a client that acts as that user."""

    client_for: ClientFor
    profile: Profile
    pace: Pace
    fault_points: FaultPoints
    platform: Platform = KUBERNETES
    client: Client = field(init=False)
    informers: dict[str, Informer] = field(init=False)
    caches: dict[str, Cache] = field(init=False)
    settings: Settings = field(init=False)
    elapsed_times: ElapsedTimes = field(init=False)
    recorder: EventRecorder = field(init=False)
    update_recorder: EventRecorder = field(init=False)
    evacuation_recorder: EventRecorder = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.client_for(self.platform.service_account(names.CONTROLLER_USER))
        self.informers = {resource: Informer(self.client, resource) for resource in WATCHED}
        self.caches = {resource: Cache(informer) for resource, informer in self.informers.items()}
        self.elapsed_times = ElapsedTimes(self.pace)
        self.settings = Settings(self.profile, self._kubevirt)
        self.recorder = EventRecorder(self.client, "virtualmachine-controller", self.fault_points)
        self.update_recorder = EventRecorder(self.client, "workload-update-controller", self.fault_points)
        self.evacuation_recorder = EventRecorder(self.client, "evacuation-controller", self.fault_points)

    def _kubevirt(self) -> Obj | None:
        return next(self.caches[names.KUBEVIRT].all(), None)

    @property
    def vms(self) -> Cache:
        return self.caches[names.VM]

    @property
    def vmis(self) -> Cache:
        return self.caches[names.VMI]

    @property
    def migrations(self) -> Cache:
        return self.caches[names.MIGRATION]

    @property
    def pods(self) -> Cache:
        return self.caches[names.PODS]

    @property
    def nodes(self) -> Cache:
        return self.caches[names.NODES]

    @property
    def nads(self) -> Cache:
        return self.caches[names.NAD]
