# SPDX-License-Identifier: Apache-2.0
"""Keywords on how many pings a network loses."""

from __future__ import annotations

from datetime import timedelta

from KubeVirtLibrary.log import probes, step
from KubeVirtLibrary.types import NicName, VmName
from livenad.packet_loss.stream import check_loss, watch_for_loss
from livenad.reachability.windows import Between
from livenad.text import human
from robot.api.deco import keyword

from GuestLibrary.guest_component import GuestComponent


class PacketLossKeywords(GuestComponent):
    """A stream of pings, ten a second, both ways."""

    @keyword(name="Start Packet Loss Monitoring", tags=["packet loss", "core"])
    def start_packet_loss_monitoring(
        self, vm: VmName, peer: VmName, *, nic: NicName, control: VmName, duration: timedelta
    ) -> None:
        """Starts a stream of pings that `Packet Loss Should Be Below` judges later. Returns immediately.

        Call it when the guests should reach each other.

        Args:
        | ``vm`` | a VM that runs. |
        | ``peer`` | the VM at the other end; it has an address in a subnet of the NIC. |
        | ``nic`` | the VM's NIC. |
        | ``control`` | a third VM that pings the same NIC of ``peer``. |
        | ``duration`` | length of the stream. |

        Example:
        | Start Packet Loss Monitoring    web    new-peer    nic=secondary    control=old-peer    duration=3 s
        | Packet Loss Should Be Below    web    new-peer    nic=secondary    control=old-peer    duration=3 s
        """
        between, seconds = self._between(vm, peer, nic, control), duration.total_seconds()
        watch_for_loss(self.measurements, between, seconds)
        step(f'{between.vm} and {between.peer} ping each other through NIC "{nic}" for {human(seconds)}')

    @keyword(name="Packet Loss Should Be Below", tags=["packet loss", "core"])
    def packet_loss_should_be_below(
        self,
        vm: VmName,
        peer: VmName,
        *,
        nic: NicName,
        control: VmName,
        duration: timedelta,
        limit: int | None = None,
    ) -> None:
        """Fails if more pings between a VM and a peer are lost than a limit allows.

        A third VM, ``control``, pings the peer at the same time. If it loses too many pings as well, the result is a
        LAB ERROR. If `Start Packet Loss Monitoring` has started a stream for the same arguments, the keyword waits for
        its end and judges it. Otherwise it starts a stream now.

        Args:
        | ``vm`` | a VM that runs. |
        | ``peer`` | the VM at the other end; it has an address in a subnet of the NIC. |
        | ``nic`` | the VM's NIC. |
        | ``control`` | a third VM that pings the same NIC of ``peer``. |
        | ``duration`` | length of the stream. |
        | ``limit`` | highest loss that is accepted, in per cent of the pings; left out: variable LOSS_LIMIT. |

        Example:
        | Packet Loss Should Be Below    web    new-peer    nic=secondary    control=old-peer    duration=3 s
        | ...    limit=5
        """
        most = self.run.settings.loss_limit if limit is None else limit
        between = self._between(vm, peer, nic, control)
        run = check_loss(self.measurements, between, duration.total_seconds(), most)
        probes(f'{between.vm} and {between.peer} through NIC "{nic}": {run.said}', run)

    def _between(self, vm: str, peer: str, nic: str, control: str) -> Between:
        return Between(self.vm(vm).name, self.vm(peer).name, nic, self.vm(control).name)
