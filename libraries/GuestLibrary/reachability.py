# SPDX-License-Identifier: Apache-2.0
"""Keywords on which guests reach each other."""

from __future__ import annotations

from datetime import timedelta

from KubeVirtLibrary.log import probes, step
from KubeVirtLibrary.types import NicName, VmName
from livenad.reachability.checks import check_pod_network, check_reach, check_silence, watch_for_silence
from livenad.reachability.pair_silence import check_pair_silence, watch_pair_for_silence
from livenad.reachability.windows import Between
from livenad.text import human
from robot.api.deco import keyword

from GuestLibrary.guest_component import Blame, Family, GuestComponent, blamed_on


class ReachabilityKeywords(GuestComponent):
    """Probes inside guests, judged."""

    @keyword(name="Guests Should Reach Each Other", tags=["reachability", "core"])
    def guests_should_reach_each_other(
        self,
        vm: VmName,
        peer: VmName,
        *,
        nic: NicName,
        within: timedelta,
        blame: Blame = "product",
        family: Family = Family.ipv4,
    ) -> None:
        """Waits until a NIC and a peer in its subnet reach each other, by ICMP and by TCP, from both sides.

        The probes run inside both guests, ICMP bound to the interface that carries the NIC; TCP connects to the SSH
        port and reads the server's greeting. The keyword returns as soon as every target has answered several times.

        Args:
        | ``vm`` | a VM that runs. |
        | ``peer`` | the other VM; it has an address in a subnet of the NIC. |
        | ``nic`` | the VM's NIC for the traffic. |
        | ``within`` | longest wait, from now on. |
        | ``blame`` | ``product``, or ``lab`` for a check before the change. |
        | ``family`` | ``ipv4`` or ``ipv6``. |

        Example:
        | Guests Should Reach Each Other    web    new-peer    nic=secondary    within=1 min
        """
        one, other = self.vm(vm).name, self.vm(peer).name
        with blamed_on(blame, lambda: self._way(one, other, nic)):
            run = check_reach(
                self.measurements, one, other, nic=nic, within=within.total_seconds(), version=family.value
            )
        probes(f'{one} and {other} reached each other through NIC "{nic}" {run.said}', run)

    @keyword(name="Guests Should Be Silent To Each Other", tags=["reachability", "core"])
    def guests_should_be_silent_to_each_other(
        self,
        vm: VmName,
        peer: VmName,
        *,
        nic: NicName,
        control: VmName | None = None,
        duration: timedelta,
        blame: Blame = "product",
        family: Family = Family.ipv4,
    ) -> None:
        """Fails if a NIC of a VM and a peer in its subnet answer each other at any time in a window.

        Silence proves isolation only while all guests work, so two positive controls run in the same window: the VM
        must reach ``control`` through the same NIC, and ``control`` must reach the silent NIC of ``peer`` over another
        subnet that both have an address in. They are judged in this order:

        - any answer between the NIC and ``peer``: the check fails, whatever the controls did;
        - too few requests were sent, as a guest was frozen or overloaded: LAB ERROR;
        - ``control`` and ``peer`` do not answer each other over their other subnet: LAB ERROR;
        - the VM does not reach ``control`` through the NIC: the check fails if ``peer`` reached that NIC of
          ``control`` over another subnet, otherwise it is a LAB ERROR.

        If one of the last three holds, a second window follows, which decides.

        Without ``control`` there are other positive controls in the same window: the two VMs answer each other both
        ways over another network, which may be the pod network (by TCP), and in each guest the silent NIC has its
        address and a carrier and sends frames. If one of these is missing, the result is a LAB ERROR. This does not
        prove that the network behind the NICs works: a third VM does.

        If `Start Silence Monitoring` started a window for the same guests, NIC and family, the keyword waits for its
        end and judges it once; otherwise the window starts now.

        Args:
        | ``vm`` | a VM that runs. |
        | ``peer`` | the VM that must be silent; it has an address in a subnet of the NIC. |
        | ``nic`` | the VM's NIC. |
        | ``control`` | the VM that must answer through the NIC and reach ``peer``; for none see above. |
        | ``duration`` | length of the window. |
        | ``blame`` | ``product``, or ``lab`` for a check before the change. |
        | ``family`` | ``ipv4`` or ``ipv6``. |

        Example:
        | Guests Should Be Silent To Each Other    web    old-peer    nic=secondary    control=new-peer
        | ...    duration=3 s
        """
        between, seconds = self._between(vm, peer, nic, control, family), duration.total_seconds()
        with blamed_on(blame):
            check = check_silence if between.control else check_pair_silence
            run = check(self.measurements, between, seconds)
        headline = f'{between.vm} and {between.peer} were silent through NIC "{nic}" for {human(seconds)}'
        probes(f"{headline}: {run.said}", run)

    @keyword(name="Start Silence Monitoring", tags=["reachability", "core"])
    def start_silence_monitoring(
        self,
        vm: VmName,
        peer: VmName,
        *,
        nic: NicName,
        control: VmName | None = None,
        duration: timedelta,
        family: Family = Family.ipv4,
    ) -> None:
        """Starts the window that a later `Guests Should Be Silent To Each Other` judges, and returns immediately.

        Several windows and other checks can then run in parallel. Call it after all changes have settled: the window
        starts now. Judges nothing.

        Args:
        | ``vm`` | a VM that runs. |
        | ``peer`` | the VM that must be silent; it has an address in a subnet of the NIC. |
        | ``nic`` | the VM's NIC. |
        | ``control`` | as in `Guests Should Be Silent To Each Other`. |
        | ``duration`` | length of the window. |
        | ``family`` | ``ipv4`` or ``ipv6``. |

        Example:
        | Start Silence Monitoring    web    old-peer    nic=secondary    control=new-peer    duration=3 s
        | Guests Should Be Silent To Each Other    web    old-peer    nic=secondary    control=new-peer
        | ...    duration=3 s
        """
        between, seconds = self._between(vm, peer, nic, control, family), duration.total_seconds()
        watch = watch_for_silence if between.control else watch_pair_for_silence
        watch(self.measurements, between, seconds)
        step(f'{between.vm} and {between.peer} are monitored for silence through NIC "{nic}" for {human(seconds)}')

    @keyword(name="Pod Network Should Work", tags=["reachability", "core"])
    def pod_network_should_work(self, vm: VmName, peer: VmName, *, within: timedelta) -> None:
        """Waits until the VM's pod network carries traffic both ways.

        Outward, the VM connects to the SSH port of the peer's address on the pod network. Inward, a new SSH session is
        opened from outside the cluster network; an existing session would prove nothing new.

        Args:
        | ``vm`` | a VM that runs. |
        | ``peer`` | another VM on the pod network. |
        | ``within`` | longest wait for each direction. |

        Example:
        | Pod Network Should Work    web    new-peer    within=1 min
        """
        one, other = self.vm(vm).name, self.vm(peer).name
        run = check_pod_network(self.measurements, one, other, within.total_seconds())
        headline = f"{one} reached {other} on the pod network {run.said}"
        probes(f"{headline}, and a new connection from outside reached {one}", run)

    def _between(self, vm: str, peer: str, nic: str, control: str | None, family: Family) -> Between:
        third = self.vm(control).name if control is not None else ""
        return Between(self.vm(vm).name, self.vm(peer).name, nic, third, family.value)
