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
    """Changes the networks of running KubeVirt VMs, and judges the result.

    The first keyword that needs the cluster connects to it. Kubeconfig, bridges, VLANs, the image of the guests and
    other values are Robot variables; ``variables/defaults.yaml`` lists them with their defaults. The connection is
    closed at the end of the suite that opened it.

    From `Open Test Namespace` on, the library records every state of the VMs, VMIs (running instances of VMs),
    migrations, launcher pods and NADs (definitions of networks) in the test namespace, as the API server sends them.
    Keywords that wait end as soon as the state that they wait for is recorded. Keywords that say that something never
    happened judge all recorded states, not only the last one.

    The glossary (``docs/glossary.md``) explains terms of KubeVirt and of these libraries.

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

    To run it:

    - Save it as ``suite.robot`` at the top of this project.
    - Copy ``variables/profiles/kubernetes-existing-bridge.yaml`` to ``my-cluster.yaml``, and write your BRIDGE and
      VLANS into the copy. Add KUBECONFIG if your kubeconfig is neither ``~/.kube/config`` nor in the environment.
    - Run ``.venv/bin/robot --pythonpath libraries --variablefile my-cluster.yaml suite.robot``. In another project,
      into which this one is installed with ``pip``, leave out ``--pythonpath libraries``.

    = Keywords by topic =

    Core keywords are of general use. Scenario keywords are for one kind of test only. Topic and kind are also the tags
    of a keyword.

    %TOPICS%

    = Failure messages =

    A keyword fails with one of three kinds of message:

    - ``LAB ERROR:`` at the beginning means that the lab (machines, network, images, rights) or the value of a variable
      prevented the check;
    - ``TEST ERROR:`` at the beginning means that the suite uses a keyword wrongly;
    - any other message reports a fault of the product (KubeVirt and what it needs for the feature). It names the
      object, the expected state, the last state seen, and the time waited.

    If the cluster lacks a capability that a keyword needs, such as localnet networks, the test is skipped.

    = Arguments =

    The arguments after a lone ``*`` in a signature are given by name, as in ``within=1 min``. Those before it are given
    by position. An argument with a value in the signature, as ``within=0:00:30``, may be left out; the value is its
    default. ``*name`` stands for any number of values. Times are Robot times, such as ``2 min 30 s``.
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
