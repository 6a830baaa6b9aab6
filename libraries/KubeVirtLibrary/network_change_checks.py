# SPDX-License-Identifier: Apache-2.0
"""Keywords: checks on what the API shows after a network change."""

from __future__ import annotations

import time
from datetime import timedelta

from livenad.changes import NetworkChange, NicSettingsChange
from livenad.network_change.judge_network_change import (
    has_reported,
    interface_differences,
    judge_interface,
    judge_network,
)
from livenad.network_change.judge_not_applied_live import applied_live, judge_not_applied_live, judge_not_live
from livenad.network_change.judge_source_pod import judge_annotation_kept
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.types import NetworkName, NicName, VmName


class NetworkChangeCheckKeywords(KeywordComponent):
    """What the API must show after a change."""

    @keyword(name="Change Should Not Have Been Applied Live", tags=["network change checks", "scenario"])
    def change_should_not_have_been_applied_live(self, vm: VmName, *, duration: timedelta = timedelta()) -> None:
        """Fails if an edit that needs a restart was applied to the running VM.

        It was applied if the VMI's spec has it, or if a migration was requested or created for it. After
        `Change NIC Settings` the VM must also have the VMI and the node that it had before the edit. All states since
        before the edit are judged.

        Args:
        | ``vm`` | a VM of `Change VM Network` or `Change NIC Settings`. |
        | ``duration`` | the keyword judges when this time since the edit has passed. |

        Example:
        | Change Should Not Have Been Applied Live    web    duration=5 s
        """
        suite = self.suite
        change = suite.changes.last(self.vm(vm).name, "network", "nic settings")
        if isinstance(change, NetworkChange):
            self.judge(judge_not_live, change)
        elif isinstance(change, NicSettingsChange):
            left = change.at + duration.total_seconds() - time.monotonic()
            suite.recorder.wait_for(
                lambda history: applied_live(history, change),
                left,
                change.title,
                lambda: "not applied",
                vms={change.vm},
            )
            self.judge(judge_not_applied_live, change)

    @keyword(name="VMI Interface Should Be Unchanged", tags=["network change checks", "core"])
    def vmi_interface_should_be_unchanged(
        self, vm: VmName, *, nic: NicName, within: timedelta = timedelta(seconds=30)
    ) -> None:
        """Fails if the VMI shows the NIC otherwise than before the edit, except for the name of its network.

        Compared are MAC, model, binding, interface name in guest and pod, link state and addresses. After a migration
        the target node reports them again, and the keyword waits up to ``within`` for this report. If none comes, there
        are two cases:

        - If the migration had ended before the keyword began, the target node had all of ``within`` for its report.
          The keyword judges the values that the VMI shows.
        - Otherwise the target node may have had too little time, and the VMI may still show the values of the source
          node. The keyword fails with a LAB ERROR.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``nic`` | the NIC that was moved. |
        | ``within`` | longest wait for the report after the migration. |

        Example:
        | VMI Interface Should Be Unchanged    web    nic=secondary
        """
        record, recorder = self.vm(vm), self.suite.recorder
        record.nic(nic)
        change = self.suite.changes.network_change(record.name, nic)
        recorder.wait_for(
            lambda history: not interface_differences(history, change) and has_reported(history, change),
            within.total_seconds(),
            f"{change.title}: the API's view as before",
            lambda: "; ".join(interface_differences(recorder.history, change)) or "as before the migration",
            vms={change.vm},
        )
        self.judge(judge_interface, change, within.total_seconds())

    @keyword(name="VM Should Be On Network", tags=["network change checks", "core"])
    def vm_should_be_on_network(self, vm: VmName, *, nic: NicName, network: NetworkName) -> None:
        """Fails unless a NIC is on a network: the VMI's spec and the launcher pod's network-status name it.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | one of its NICs. |
        | ``network`` | the network. |

        Example:
        | VM Should Be On Network    web    nic=secondary    network=new-network
        """
        record = self.vm(vm)
        record.nic(nic)
        self.judge(judge_network, record.name, record.namespace, nic, self.network(network))

    @keyword(name="Source Pod Networks Should Be Unchanged", tags=["network change checks", "scenario"])
    def source_pod_networks_should_be_unchanged(self, vm: VmName) -> None:
        """Fails if the networks annotation of the source pod (the launcher pod before the change) was changed.

        Every state of the pod since before the edit is judged. If the annotation changed, a Dynamic Networks Controller
        (Multus' controller that plugs NICs into running pods) would attach a network to the running pod.

        Args:
        | ``vm`` | a VM whose network was changed. |

        Example:
        | Source Pod Networks Should Be Unchanged    web
        """
        self.judge(judge_annotation_kept, self.suite.changes.network_change(self.vm(vm).name))
