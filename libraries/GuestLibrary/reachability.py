"""Keywords on who reaches whom."""

from __future__ import annotations

from datetime import timedelta

from livenad.context import Run
from livenad.packet_loss.stream import check_loss, watch_for_loss
from livenad.reachability.checks import check_pod_network, check_reach, check_silence, watch_for_silence
from livenad.reachability.windows import Between
from livenad.text import human
from robot.api import logger
from robot.api.deco import keyword

from GuestLibrary.context import Blame, Family, blamed_on, current_guests, log_probes


class ReachabilityKeywords:
    """Probes inside guests, judged."""

    @keyword(tags=["reachability", "verdict"])
    def guests_should_reach_each_other(
        self,
        vm: str,
        peer: str,
        *,
        nic: str,
        within: timedelta,
        blame: Blame = Blame.product,
        family: Family = Family.ipv4,
    ) -> None:
        """Waits until a NIC and a peer in its subnet reach each other, by ICMP and by TCP, from both sides.

        The probes run inside both guests, ICMP bound to the interface that carries the NIC; TCP connects to the SSH
        port and reads what the server says. Returns as soon as every target has answered often enough.

        Args:
        | ``vm``     | Name of the VM. |
        | ``peer``   | Name of the other VM; it has an address in a subnet of the NIC. |
        | ``nic``    | Name of the VM's NIC that the traffic is to cross. |
        | ``within`` | How long it may take from now on. |
        | ``blame``  | ``product``, or ``lab`` for a check before the act. |
        | ``family`` | ``ipv4`` or ``ipv6``. |
        """
        with blamed_on(blame):
            run = check_reach(current_guests(), vm, peer, nic=nic, within=within.total_seconds(), version=family.value)
        log_probes(f'{vm} and {peer} reach each other through NIC "{nic}"', run)

    @keyword(tags=["reachability", "verdict"])
    def guests_should_be_silent_to_each_other(
        self,
        vm: str,
        peer: str,
        *,
        nic: str,
        control: str,
        duration: timedelta,
        blame: Blame = Blame.product,
        family: Family = Family.ipv4,
    ) -> None:
        """Fails if a NIC of a VM and a peer in its subnet hear anything of each other for a whole window.

        Silence proves something only while everyone is alive, so two positive controls run in the same window: the VM
        must reach ``control`` through the same NIC, and ``control`` must reach the silent NIC of ``peer`` over another
        subnet that both have an address in. If the VM reaches nothing at all, the check fails; if the peer or the
        control is dead, it is an error of the lab.

        A window that `Watch Guests For Silence` opened for the same guests, NIC and family is waited for and judged,
        once; otherwise the window begins now.

        Args:
        | ``vm``       | Name of the VM. |
        | ``peer``     | Name of the VM that must be silent; it has an address in a subnet of the NIC. |
        | ``nic``      | Name of the VM's NIC. |
        | ``control``  | Name of the VM that must answer through the NIC, and that watches ``peer``. |
        | ``duration`` | Length of the window. |
        | ``blame``    | ``product``, or ``lab`` for a check before the act. |
        | ``family``   | ``ipv4`` or ``ipv6``. |
        """
        with blamed_on(blame):
            between = Between(vm, peer, nic, control, family.value)
            run = check_silence(current_guests(), between, duration.total_seconds())
        log_probes(f'{vm} and {peer} were silent through NIC "{nic}" for {human(duration.total_seconds())}', run)

    @keyword(tags=["reachability"])
    def watch_guests_for_silence(
        self, vm: str, peer: str, *, nic: str, control: str, duration: timedelta, family: Family = Family.ipv4
    ) -> None:
        """Opens the window that a later `Guests Should Be Silent To Each Other` judges, and returns at once.

        Several windows, and other checks, then go on side by side. To be called when nothing that was changed is still
        on its way: the window begins now. Judges nothing.

        Args:
        | ``vm``       | Name of the VM. |
        | ``peer``     | Name of the VM that must be silent; it has an address in a subnet of the NIC. |
        | ``nic``      | Name of the VM's NIC. |
        | ``control``  | Name of the VM that must answer through the NIC, and that watches ``peer``. |
        | ``duration`` | Length of the window. |
        | ``family``   | ``ipv4`` or ``ipv6``. |
        """
        seconds = duration.total_seconds()
        watch_for_silence(current_guests(), Between(vm, peer, nic, control, family.value), seconds)
        logger.info(f'{vm} and {peer} are watched for silence through NIC "{nic}" for {human(seconds)}')

    @keyword(tags=["reachability"])
    def watch_guests_for_loss(self, vm: str, peer: str, *, nic: str, control: str, duration: timedelta) -> None:
        """Begins the stream of pings that a later `Guests Should Lose Little` judges, and returns at once.

        To be called once the guests reach each other. Judges nothing.

        Args:
        | ``vm``       | Name of the VM. |
        | ``peer``     | Name of the VM that is asked and asks; it has an address in a subnet of the NIC. |
        | ``nic``      | Name of the VM's NIC. |
        | ``control``  | Name of a third VM that asks the same NIC of ``peer``. |
        | ``duration`` | Length of the stream. |
        """
        watch_for_loss(current_guests(), Between(vm, peer, nic, control), duration.total_seconds())

    @keyword(tags=["reachability", "verdict"])
    def guests_should_lose_little(self, vm: str, peer: str, *, nic: str, control: str, duration: timedelta) -> None:
        """Fails if a NIC of a VM and a peer lose more of a stream of pings than LOSS_LIMIT.

        Both ask, ten times a second. A third VM asks the peer meanwhile: where that loses as much, it is an error of
        the lab. A stream that `Watch Guests For Loss` began is waited for and judged, once; otherwise it begins now.

        Args:
        | ``vm``       | Name of the VM. |
        | ``peer``     | Name of the VM that is asked and asks; it has an address in a subnet of the NIC. |
        | ``nic``      | Name of the VM's NIC. |
        | ``control``  | Name of a third VM that asks the same NIC of ``peer``. |
        | ``duration`` | Length of the stream. |
        """
        limit, between = Run.current().settings.loss_limit, Between(vm, peer, nic, control)
        run = check_loss(current_guests(), between, duration.total_seconds(), limit)
        log_probes(f'{vm} and {peer} lost {limit} % of their pings at most through NIC "{nic}"', run)

    @keyword(tags=["reachability", "verdict"])
    def pod_network_should_work(self, vm: str, peer: str, *, within: timedelta) -> None:
        """Waits until the VM's pod network carries traffic both ways.

        Outward, the VM connects to the SSH port of the peer's address on the pod network. Inward, a new SSH session is
        opened from outside; one that stood before would prove only the past.

        Args:
        | ``vm``     | Name of the VM. |
        | ``peer``   | Name of another VM on the pod network. |
        | ``within`` | How long each direction may take. |
        """
        run = check_pod_network(current_guests(), vm, peer, within.total_seconds())
        log_probes(f"{vm} reaches {peer} on the pod network, and a new connection from outside reaches {vm}", run)
