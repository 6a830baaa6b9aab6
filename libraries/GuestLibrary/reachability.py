# SPDX-License-Identifier: Apache-2.0
"""Keywords on which guests reach each other."""

from __future__ import annotations

from datetime import timedelta

from KubeVirtLibrary.log import probes, step
from KubeVirtLibrary.types import NicName, VmName
from livenad.errors import LabError, ProductFault
from livenad.reachability.checks import check_pod_network, check_reach, check_silence, watch_for_silence
from livenad.reachability.pair_silence import check_pair_silence, watch_pair_for_silence
from livenad.reachability.probes import ProbeRun
from livenad.reachability.windows import Between
from livenad.text import human
from robot.api.deco import keyword

from GuestLibrary.guest_component import Blame, Family, GuestComponent, blamed_on, told_after

_MOVED = 4
"""How many routes and addresses a message tells."""


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
        context: str = "",
    ) -> None:
        """Waits until a VM and a peer reach each other through a NIC, by ICMP, TCP and UDP, in both directions.

        The probes run inside both guests. There are ten, and the log names them so:

        - *ICMP*: a ping through the interface of the NIC;
        - *TCP*: a connection to the SSH port, which reads the greeting of the SSH server;
        - *UDP*: a small datagram to port 36110, where a program answers that this library starts in the guest;
        - *full-size UDP*: a datagram to the same port that fills a frame and must not be fragmented;
        - *full-size ICMP*: a ping that fills a frame and must not be fragmented;
        - *stream*: full datagrams to the same port at 10 Mbit/s, of which at least half come back at that pace, and
          hardly any twice;
        - *transfer*: 2 MB by TCP to the same port. The first transfer through a NIC may have any rate. Later ones need
          5 Mbit/s, or half the rate of the first one if that is less;
        - *broadcast*, *multicast*: a datagram to everybody, which the other guest answers;
        - *neighbour*: the MAC of the other guest, after the guest has removed it from its neighbour table (ARP). This
          needs root or sudo.

        The quickest answers to pings, TCP, small datagrams and ARP may come at most 0.15 s later than those of the
        first check of this NIC.

        The keyword ends as soon as each of them was answered in both directions: ICMP three times, TCP
        and UDP twice, the others once. If this does not happen in time, it fails.

        All kinds but ICMP and TCP need ``python3`` in both guests. Without it they are not observed, and the log says
        so. Some labs carry ICMP and TCP, but not UDP, full frames or transfers. So with ``blame=lab`` those without an
        answer do not fail the keyword. The log tells them, and later checks leave these probes out.

        Args:
        | ``vm`` | a VM that runs. |
        | ``peer`` | the other VM; it has an address in a subnet of the NIC. |
        | ``nic`` | the NIC of ``vm``. |
        | ``within`` | longest wait, from now on. |
        | ``blame`` | ``product``, or ``lab`` for a check before the change. |
        | ``family`` | ``ipv4`` or ``ipv6``. |
        | ``context`` | text that a failure message begins with, such as what the test found before. |

        Example:
        | Guests Should Reach Each Other    web    new-peer    nic=secondary    within=1 min
        """
        one, other = self.vm(vm).name, self.vm(peer).name
        with told_after(context), blamed_on(blame, lambda: self._way(one, other, nic)):
            run = check_reach(
                self.measurements,
                one,
                other,
                nic=nic,
                within=within.total_seconds(),
                version=family.value,
                before_change=blame == "lab",
            )
        self._tell(f'{one} and {other} reached each other through NIC "{nic}" {run.said}', run)

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
        """Fails if a VM and a peer reach each other through a NIC at any time in a window.

        Silent means that neither guest gets any of these from the other. The log names them:

        - *ICMP*, *TCP*, *UDP*: an answer;
        - *broadcast*, *multicast*: such a frame;
        - *neighbour*: the MAC of the other guest. It is looked up again: one that is known is first removed from
          the neighbour table (ARP).

        UDP and frames need ``python3`` in the guests, the MAC needs root or sudo. What a guest cannot do is not
        observed, and the log says so.

        No answer does not yet prove that the networks are separate: a guest may have stopped, or a NIC may be broken.
        So a third VM, ``control``, is used in the same window:

        - the VM must reach a NIC of ``control``, called C here. This shows that the VM's own NIC works;
        - ``control`` must reach the NIC of ``peer`` that should be silent, called P here. This shows that ``peer`` is
          alive;
        - ``peer`` tries to reach C. This shows who is to blame if the VM does not reach it.

        For that, each of ``control`` and ``peer`` needs a further NIC on the network of the other one, with addresses
        in subnets in which the VM has none. The result is the first of these that holds:

        | =What was seen in the window= | =Result= |
        | VM and ``peer`` answered each other, even once | FAIL |
        | a guest sent too few probes, because it was frozen or overloaded | LAB ERROR |
        | ``control`` and P did not answer each other | LAB ERROR |
        | the VM did not reach C, but ``peer`` did | FAIL |
        | neither the VM nor ``peer`` reached C | LAB ERROR |
        | none of these | pass |

        If the result is neither a pass nor the first row, a second window follows, and its result counts.

        Without ``control`` two other things must hold in the same window; otherwise it is a LAB ERROR. The two VMs
        answer each other over another network, which may be the pod network. In each guest the silent NIC has its
        address and a carrier, and sends frames. This does not prove that the network of the NIC works; a third VM does.

        If `Start Silence Monitoring` has started a window for the same arguments, the keyword waits for its end and
        judges it. Otherwise it starts a window now.

        Args:
        | ``vm`` | a VM that runs. |
        | ``peer`` | the VM that must be silent; it has an address in a subnet of the NIC. |
        | ``nic`` | the VM's NIC. |
        | ``control`` | a third VM, which must answer; see above. |
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
        self._tell(f"{headline}: {run.said}", run)

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
        """Starts a window that `Guests Should Be Silent To Each Other` judges later. Returns immediately.

        So several windows, and other keywords, can run in parallel. Call it after all changes have settled, because the
        window starts now.

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
    def pod_network_should_work(self, vm: VmName, peer: VmName, *, within: timedelta, blame: Blame = "product") -> None:
        """Waits until the VM's pod network carries traffic both ways.

        Outward, the VM connects to the SSH port of the peer's address on the pod network. Inward, a new SSH session to
        the VM is opened through the API server.

        Not every pod network carries pings, UDP and full frames, or has a gateway that tells its MAC. A check with
        ``blame=lab`` finds out which of them it has, in each direction, and how soon answers come. Later checks of the
        same two VMs require them, at most 0.15 s later. It opens no new SSH session, as those that are open have just
        come through the pod network.

        Args:
        | ``vm`` | a VM that runs. |
        | ``peer`` | another VM on the pod network. |
        | ``within`` | longest wait for each direction. |
        | ``blame`` | ``product``, or ``lab`` for a check before the change. |

        Example:
        | Pod Network Should Work    web    new-peer    within=1 min
        """
        one, other = self.vm(vm).name, self.vm(peer).name
        with blamed_on(blame):
            try:
                run = check_pod_network(
                    self.measurements, one, other, within.total_seconds(), before_change=blame == "lab"
                )
            except ProductFault as fault:
                raise ProductFault(f"{fault}{self._moved_routes(one)}") from None
        headline = f"{one} reached {other} on the pod network {run.said}"
        probes(f"{headline}, and a new connection from outside reached {one}", run)

    def _tell(self, headline: str, run: ProbeRun) -> None:
        """Log a check that passed, and note what it could not observe."""
        probes(headline, run)
        self.suite.unobserved += run.lacks

    def _moved_routes(self, vm: str) -> str:
        """What became of the guest's addresses, routes and rules since its record; "" when that is not known."""
        from livenad.invariants.judge_guest_state import compare_guest  # noqa: PLC0415 - only a fault needs it
        from livenad.invariants.read_guest import read_state  # noqa: PLC0415

        if vm not in self.suite.records:
            return ""
        try:
            now = read_state(self.guests.console(vm))
        except LabError:
            return ""
        found = compare_guest(vm, self.suite.records[vm].guest, now, 0.0, 0.0).findings
        moved = [one for one in found if one.path.startswith(("route", "rule", "address"))]
        return f"; since it was recorded: {'; '.join(map(str, moved[:_MOVED]))}" if moved else ""

    def _between(self, vm: str, peer: str, nic: str, control: str | None, family: Family) -> Between:
        third = self.vm(control).name if control is not None else ""
        return Between(self.vm(vm).name, self.vm(peer).name, nic, third, family.value)
