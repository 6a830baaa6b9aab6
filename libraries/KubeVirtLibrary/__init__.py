# SPDX-License-Identifier: Apache-2.0
"""Keywords for what happens on the cluster: test namespaces, networks, VMs, network changes and their verdicts."""

from __future__ import annotations

import atexit

from KubeVirtLibrary.base import SESSION, LibraryBase, __version__
from KubeVirtLibrary.cluster import ClusterKeywords
from KubeVirtLibrary.cluster_settings import ClusterSettingKeywords
from KubeVirtLibrary.conditions import ConditionKeywords
from KubeVirtLibrary.getters import GetterKeywords
from KubeVirtLibrary.last_resort import LastResort
from KubeVirtLibrary.listener import SuiteListener
from KubeVirtLibrary.metrics import MetricKeywords
from KubeVirtLibrary.migrations import MigrationKeywords
from KubeVirtLibrary.namespaces import NamespaceKeywords
from KubeVirtLibrary.network_change import NetworkChangeKeywords
from KubeVirtLibrary.network_change_checks import NetworkChangeCheckKeywords
from KubeVirtLibrary.networks import NetworkKeywords
from KubeVirtLibrary.nic_hotplug import NicHotplugKeywords
from KubeVirtLibrary.opening import close_at_exit
from KubeVirtLibrary.permissions import PermissionKeywords
from KubeVirtLibrary.recorded_checks import RecordedCheckKeywords
from KubeVirtLibrary.user_vms import UserVmKeywords
from KubeVirtLibrary.virtual_machines import VirtualMachineKeywords

__all__ = ["KubeVirtLibrary", "__version__"]


class KubeVirtLibrary(LibraryBase):
    """Changes networks of running KubeVirt VMs and judges the result.

    Importing the library connects to nothing. The first keyword that needs the cluster connects to it, with the
    variables of ``variables/defaults.yaml``; the connection is closed at the end of the suite that opened it. From
    `Open Test Namespace` on, every state of the VMs, VMIs, migrations, launcher pods and NADs of the test namespace
    is recorded by watches of the API. Keywords that wait react to new states; keywords that say *never* judge all
    states.

    = Minimal suite =

    | *** Settings ***
    | Library           KubeVirtLibrary
    | Suite Teardown    Close Test Namespace
    |
    | *** Test Cases ***
    | Running VM Changes Its Network
    |     Open Test Namespace
    |     Create Network    blue    on=bridge
    |     Create Network    green    on=bridge
    |     Define VM    web
    |     Add NIC    web    secondary    network=blue
    |     Start VMs
    |     Wait Until VMs Are Ready    within=10 min
    |     Change VM Network    web    nic=secondary    network=green
    |     NIC Change Should Have Completed    web    nic=secondary    within=5 min
    |     VM Should Not Have Restarted    web

    Saved as ``suite.robot`` at the top of this project, it runs by
    ``.venv/bin/robot --pythonpath libraries --variablefile my-cluster.yaml suite.robot``. There ``my-cluster.yaml`` is
    a copy of ``variables/profiles/kubernetes-existing-bridge.yaml`` with your BRIDGE and VLANS, and with KUBECONFIG if
    that is neither in the environment nor ``~/.kube/config``. In another project, ``pip install`` of this one replaces
    ``--pythonpath libraries``.

    = Keywords by topic =

    %TOPICS%

    Each keyword has the tag of its topic, and *core* or *scenario*: keywords tagged *scenario* are for one kind of
    scenario only.

    = Failure messages =

    A keyword fails with one of three kinds of message:

    - ``LAB ERROR:`` at the beginning means that the lab, or the value of a variable, prevented the check;
    - ``TEST ERROR:`` at the beginning means that the suite uses a keyword wrongly;
    - any other message reports a fault of the product: object, expected state, last state seen, and time waited.

    If the cluster lacks a capability, the test is skipped.

    = Arguments =

    Subjects come first, by position; what follows is named where the signature shows ``name=``. A ``name=`` without a
    value is required. Times are Robot times (``2 min 30 s``).
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
            NetworkChangeCheckKeywords,
            ConditionKeywords,
            MigrationKeywords,
            NicHotplugKeywords,
            MetricKeywords,
            PermissionKeywords,
            RecordedCheckKeywords,
        )
        self.ROBOT_LIBRARY_LISTENER = [SuiteListener(SESSION), LastResort()]
        atexit.register(close_at_exit, SESSION)
