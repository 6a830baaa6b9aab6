# SPDX-License-Identifier: Apache-2.0
"""The context of keywords: the run on an open cluster, and the suite in its open test namespace.

A `Run` exists while the cluster is open, a `SuiteContext` while its test namespace is open. Each has one typed part for
each topic, and no part uses another.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from livenad.cluster.capabilities import Capabilities
from livenad.cluster.environment import Lab
from livenad.cluster.preflight import Preflight
from livenad.cluster_settings.switching import ClusterSettings
from livenad.errors import TestError
from livenad.identity.recorded_guests import RecordedGuests
from livenad.invariants.record import Records
from livenad.networks.run_networks import RunNetworks
from livenad.ownership.created_resources import CreatedResources
from livenad.reachability.measurements import Measurements
from livenad.verdict_log import VerdictLog

if TYPE_CHECKING:
    from livenad.api.client import Cluster
    from livenad.api.recorder import Heartbeat, Recorder
    from livenad.changes import ChangeLog
    from livenad.cluster.facts import ClusterFacts
    from livenad.guest.guests import Guests
    from livenad.metrics.nic_series import MetricsBaseline
    from livenad.migrations.judge_induced_failure import InducedFailure
    from livenad.outage.probes_across import OutageMonitor
    from livenad.ownership.naming import SuiteNamespace
    from livenad.recorded_checks import RecordedChecks
    from livenad.settings import Settings
    from livenad.virtual_machines.registry import VirtualMachines

CloseHook = Callable[[], None]


def new_run_id() -> str:
    """Six letters and digits, starting with a letter, for names, labels and MACs."""
    alphabet = string.ascii_lowercase + string.digits
    return secrets.choice(string.ascii_lowercase) + "".join(secrets.choice(alphabet) for _ in range(5))


@dataclass
class SuiteContext:
    """Everything that belongs to one open test namespace.

    ``opened_in`` is the name of the Robot suite that opened it. ``users`` are clients with the rights of VM owners;
    ``outages``, ``metrics`` and ``induced_failures`` are the last of each VM, named as on the cluster. ``unobserved``
    is what the checks of the test that runs could not observe, as guests lack a tool.
    """

    namespace: SuiteNamespace
    opened_in: str
    recorder: Recorder
    vms: VirtualMachines
    changes: ChangeLog
    checks: RecordedChecks
    guests: Guests
    recorded_guests: RecordedGuests = field(default_factory=RecordedGuests)
    records: Records = field(default_factory=Records)
    measurements: Measurements = field(init=False)
    verdicts: VerdictLog = field(init=False)
    users: dict[str, Cluster] = field(default_factory=dict)
    outages: dict[str, OutageMonitor] = field(default_factory=dict)
    metrics: dict[str, MetricsBaseline] = field(default_factory=dict)
    induced_failures: dict[str, InducedFailure] = field(default_factory=dict)
    unobserved: list[str] = field(default_factory=list)
    additional_namespaces: int = 0
    _hooks: list[CloseHook] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.verdicts = VerdictLog(self.recorder.history)
        self.measurements = Measurements(self.guests, self.verdicts)

    def before_closing(self, hook: CloseHook) -> None:
        """Call ``hook`` once before the namespace is removed; the last one registered is called first."""
        self._hooks.append(hook)

    def end(self) -> list[Exception]:
        """Run the hooks and end the sessions in guests; returns their exceptions. All hooks run, even if one raises."""
        raised: list[Exception] = []
        for hook in (self.guests.close, *self._hooks)[::-1]:
            try:
                hook()
            except Exception as error:  # a broken hook must not keep the namespace from being removed
                raised.append(error)
        self._hooks.clear()
        return raised


class Run:
    """Everything that belongs to one open cluster.

    ``opened_in`` is the name of the Robot suite that opened it. ``namespaces`` lists those that the run created, and
    ``suite`` is the context of the open one.
    """

    def __init__(
        self, settings: Settings, cluster: Cluster, facts: ClusterFacts, *, opened_in: str, heartbeat: Heartbeat
    ) -> None:
        self.run_id = new_run_id()
        self.settings = settings
        self.cluster = cluster
        self.facts = facts
        self.opened_in = opened_in
        self.created = CreatedResources(cluster, self.run_id)
        self.namespaces: list[str] = []
        self.suites_opened = 0
        self.capabilities = Capabilities(self.lab)
        self.preflight = Preflight(self.lab)
        self.networks = RunNetworks(
            cluster,
            settings,
            self.created,
            self.capabilities,
            namespaces=self.namespaces,
            heartbeat=heartbeat,
            nodes=lambda: self.facts.nodes,
        )
        self.cluster_settings = ClusterSettings(cluster, self.run_id, heartbeat)
        self.suite: SuiteContext | None = None

    def lab(self) -> Lab:
        """The input of capability measurements."""
        return Lab(self.cluster, self.facts, self.settings)

    def require_suite(self) -> SuiteContext:
        """The context of the open test namespace. Raises TestError when none is open."""
        if self.suite is None:
            raise TestError("no test namespace is open; call `Open Test Namespace` first")
        return self.suite


class Session:
    """The run of this process, None before a cluster is opened and after it is closed. Both libraries share it.

    ``leaving`` are closed runs whose namespaces are still being removed.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self.leaving: list[Run] = []
