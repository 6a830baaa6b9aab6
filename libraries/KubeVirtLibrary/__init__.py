"""Keywords for what happens on the cluster: test namespaces, networks, VMs, network changes and their verdicts."""

from __future__ import annotations

import atexit

from KubeVirtLibrary.base import SESSION, LibraryBase, __version__
from KubeVirtLibrary.cluster import ClusterKeywords
from KubeVirtLibrary.cluster_settings import ClusterSettingKeywords
from KubeVirtLibrary.conditions import ConditionKeywords
from KubeVirtLibrary.getters import GetterKeywords
from KubeVirtLibrary.listener import SuiteListener
from KubeVirtLibrary.metrics import MetricKeywords
from KubeVirtLibrary.migrations import MigrationKeywords
from KubeVirtLibrary.namespaces import NamespaceKeywords
from KubeVirtLibrary.network_change import NetworkChangeKeywords
from KubeVirtLibrary.networks import NetworkKeywords
from KubeVirtLibrary.nic_hotplug import NicHotplugKeywords
from KubeVirtLibrary.opening import close_quietly
from KubeVirtLibrary.permissions import PermissionKeywords
from KubeVirtLibrary.recorded_checks import RecordedCheckKeywords
from KubeVirtLibrary.user_vms import UserVmKeywords
from KubeVirtLibrary.virtual_machines import VirtualMachineKeywords

__all__ = ["KubeVirtLibrary", "__version__"]


class KubeVirtLibrary(LibraryBase):
    """Changes networks of running KubeVirt VMs, and judges what the cluster made of it.

    Importing the library connects to nothing. Any keyword that needs the cluster opens it, with the variables of
    ``variables/defaults.yaml``; it is closed when the suite ends that opened it. Everything that happens in the test
    namespace is recorded from `Open Test Namespace` on: keywords that wait are woken by the record, keywords that say
    *never* are judged on all of it.

    = Whose fault =

    A keyword fails with one of three kinds of message:

    - one that begins with ``LAB ERROR:`` says that the lab, or the value of a variable, kept the test from judging;
    - one that begins with ``TEST ERROR:`` says that the suite uses a keyword wrongly;
    - any other is a fault of the product: it names the object, what was expected, what was last seen, and for how long.

    A capability that the cluster does not have skips the test.

    = Arguments and tags =

    The first argument is the subject; all others are named. Times are Robot times (``2 min 30 s``).

    Each keyword has the tag of its topic, and *core* or *scenario*: a keyword tagged *scenario* serves what one kind
    of scenario needs.
    """

    def __init__(self) -> None:
        super().__init__(
            ClusterKeywords,
            ClusterSettingKeywords,
            NamespaceKeywords,
            NetworkKeywords,
            VirtualMachineKeywords,
            UserVmKeywords,
            GetterKeywords,
            NetworkChangeKeywords,
            ConditionKeywords,
            MigrationKeywords,
            NicHotplugKeywords,
            MetricKeywords,
            PermissionKeywords,
            RecordedCheckKeywords,
        )
        self.ROBOT_LIBRARY_LISTENER = [SuiteListener(SESSION)]
        atexit.register(close_quietly, SESSION)
