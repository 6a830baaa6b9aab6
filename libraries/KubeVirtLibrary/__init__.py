"""Keywords for what happens on the cluster: test namespaces, networks, VMs, network swaps and their verdicts."""

from __future__ import annotations

import atexit
from typing import Any

from livenad.context import own_names
from livenad.errors import BadInput, CapabilityMissing, LabError
from robot.api import SkipExecution
from robotlibcore import DynamicCore

from KubeVirtLibrary.breaking import BreakingKeywords
from KubeVirtLibrary.capabilities import CapabilityKeywords
from KubeVirtLibrary.clusters import ClusterKeywords
from KubeVirtLibrary.completion import CompletionKeywords
from KubeVirtLibrary.evidence import EvidenceListener
from KubeVirtLibrary.fates import FateKeywords
from KubeVirtLibrary.guards import GuardKeywords
from KubeVirtLibrary.hotplug import HotPlugKeywords
from KubeVirtLibrary.immovable import ImmovableKeywords
from KubeVirtLibrary.lifecycle import LifecycleKeywords
from KubeVirtLibrary.machines import MachineKeywords
from KubeVirtLibrary.many import ManyVmsKeywords
from KubeVirtLibrary.monitoring import MonitoringKeywords
from KubeVirtLibrary.namespaces import NamespaceKeywords
from KubeVirtLibrary.networks import NetworkKeywords
from KubeVirtLibrary.nic_edits import NicEditKeywords
from KubeVirtLibrary.observations import ObservationKeywords
from KubeVirtLibrary.original_pods import OriginalPodKeywords
from KubeVirtLibrary.owners import OwnerKeywords
from KubeVirtLibrary.preflight import PreflightKeywords
from KubeVirtLibrary.reporting import quiet_foreign_loggers
from KubeVirtLibrary.several import SeveralNicsKeywords
from KubeVirtLibrary.signals import SignalKeywords
from KubeVirtLibrary.staying import StayingKeywords
from KubeVirtLibrary.swaps import SwapKeywords
from KubeVirtLibrary.switches import SwitchKeywords
from KubeVirtLibrary.timing import TimingKeywords

__version__ = "0.1.0"


class KubeVirtLibrary(DynamicCore):
    """Changes networks of running KubeVirt VMs, and judges what the cluster made of it.

    Importing the library connects to nothing; `Open Cluster` does, with the variables of ``variables/defaults.yaml``.
    Everything that happens in the test namespace is recorded from `Open Test Namespace` on: keywords that wait are
    woken by the record, keywords that say *never* are judged on all of it.

    A keyword fails with one of three kinds of message. One that begins with ``LAB ERROR:`` says that the lab, or the
    given value, kept the test from judging. One without is a fault of the product: it names the object, what was
    expected, what was last seen, and for how long. A capability that the cluster does not have skips the test.

    The first argument is the subject; all others are named. Times are Robot times (``2 min 30 s``).

    Keywords by tag: *cluster*, *namespace*, *network*, *vm*, *swap*, *verdict*, *cleanup*.
    """

    ROBOT_LIBRARY_SCOPE = "GLOBAL"
    ROBOT_LIBRARY_VERSION = __version__
    ROBOT_LIBRARY_DOC_FORMAT = "ROBOT"
    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self) -> None:
        self._clusters = ClusterKeywords()
        namespaces, machines = NamespaceKeywords(self._clusters), MachineKeywords()
        components = [
            self._clusters,
            CapabilityKeywords(),
            PreflightKeywords(),
            SwitchKeywords(),
            SignalKeywords(),
            namespaces,
            NetworkKeywords(),
            machines,
            ManyVmsKeywords(machines),
            SwapKeywords(),
            SeveralNicsKeywords(),
            StayingKeywords(),
            ImmovableKeywords(),
            OwnerKeywords(),
            ObservationKeywords(),
            CompletionKeywords(),
            GuardKeywords(),
            LifecycleKeywords(),
            FateKeywords(),
            MonitoringKeywords(),
            BreakingKeywords(),
            TimingKeywords(),
            HotPlugKeywords(),
            NicEditKeywords(),
            OriginalPodKeywords(),
        ]
        super().__init__(components)
        self.ROBOT_LIBRARY_LISTENER = [self, EvidenceListener()]
        quiet_foreign_loggers()
        atexit.register(self.close)

    def run_keyword(self, name: str, args: list[Any], kwargs: dict[str, Any] | None = None) -> Any:
        """Run a keyword; a capability that is missing becomes a skip, an unknown NIC an input error."""
        try:
            return super().run_keyword(name, *own_names(self.keywords[name], args, kwargs))
        except CapabilityMissing as missing:
            raise SkipExecution(str(missing)) from missing
        except LabError:
            raise
        except LookupError as unknown:
            raise BadInput(str(unknown)) from unknown

    def close(self) -> None:
        """End what is still open when Robot ends, whatever way it ends."""
        self._clusters.close_quietly()
