# SPDX-License-Identifier: Apache-2.0
"""Keywords: hot-plug and hot-unplug of NICs."""

from __future__ import annotations

from livenad.changes import Action, NicHotplug, before
from livenad.errors import TestError
from livenad.model import Nic, VmRecord
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import step
from KubeVirtLibrary.types import Addresses, NetworkName, NicName, VmName, parse_addresses

_REMEDY = "NICs are plugged into a running VM: call `Start VMs` and `Wait Until VMs Are Ready` first"


class NicHotplugKeywords(KeywordComponent):
    """Whether the cluster does it by a live migration or, where a controller can, in place, is not judged."""

    @keyword(name="Hot Plug NIC", tags=["nic hotplug", "core"])
    def hot_plug_nic(
        self, vm: VmName, *, nic: NicName, network: NetworkName, addresses: Addresses | None = None
    ) -> None:
        """Adds a NIC with bridge binding to the spec of a running VM, and does not wait for the cluster.

        `Wait Until Change Has Settled` waits for the cluster, and `NIC Change Should Have Completed` judges the result.
        The guest sees the new NIC, but gives it no address: `Configure Guest NIC` does that.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | name of the new NIC in the VM's spec. |
        | ``network`` | its network. |
        | ``addresses`` | its static addresses with prefix, separated by commas. |

        Example:
        | Hot Plug NIC    web    nic=extra    network=new-network    addresses=10.10.5.10/24
        | Wait Until Change Has Settled    web    within=5 min
        | NIC Change Should Have Completed    web    nic=extra    within=5 min
        """
        from livenad.nic_hotplug.hotplug import put_nic  # noqa: PLC0415 - slow to import

        record = self.vm(vm)
        new = self.suite.vms.new_nic(record, nic, self.network(network), parse_addresses(addresses, nic))
        change = self._begin(record, new, plugged=True)
        put_nic(self.run.cluster, record, new)
        self._end(change)

    @keyword(name="Hot Unplug NIC", tags=["nic hotplug", "core"])
    def hot_unplug_nic(self, vm: VmName, *, nic: NicName) -> None:
        """Removes a NIC from a running VM: sets its state to ``absent`` in the VM's spec. Does not wait for the
        cluster.

        Args:
        | ``vm`` | a VM that runs. |
        | ``nic`` | one of its NICs, not the one on the pod network. |

        Example:
        | Hot Unplug NIC    web    nic=extra
        | Wait Until Change Has Settled    web    within=5 min
        | Guest NIC Should Be    web    extra    absent
        """
        from livenad.nic_hotplug.hotplug import mark_absent  # noqa: PLC0415 - slow to import

        record = self.vm(vm)
        old = record.nic(nic)
        if old.network is None:
            raise TestError(
                f'NIC "{nic}" of VM {record.namespace}/{record.name} is on the pod network and cannot be unplugged'
            )
        change = self._begin(record, old, plugged=False)
        mark_absent(self.run.cluster, record, old)
        self._end(change)

    def _begin(self, record: VmRecord, nic: Nic, *, plugged: bool) -> NicHotplug:
        from livenad.network_change.change_network import require_running  # noqa: PLC0415 - slow to import

        self.suite.recorder.catch_up()
        require_running(self.history, record, _REMEDY)
        action: Action = "hot-plug" if plugged else "hot-unplug"
        fields = before(self.history, record, action, f'the {action} of NIC "{nic.name}"')
        return NicHotplug(**fields, nic=nic, plugged=plugged)

    def _end(self, change: NicHotplug) -> None:
        self.suite.changes.add(change)
        step(f"{change.title}: requested")
