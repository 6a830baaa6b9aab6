# SPDX-License-Identifier: Apache-2.0
"""Keywords that check, configure and probe the guests of KubeVirt VMs from inside."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from KubeVirtLibrary.base import SESSION, LibraryBase
from KubeVirtLibrary.log import heartbeat
from livenad.api.progress import ticking
from livenad.errors import ProductFault

from GuestLibrary.commands import CommandKeywords
from GuestLibrary.identity import IdentityKeywords
from GuestLibrary.invariants import InvariantKeywords
from GuestLibrary.nic_hotplug import NicHotplugKeywords
from GuestLibrary.outage import OutageKeywords
from GuestLibrary.packet_loss import PacketLossKeywords
from GuestLibrary.reachability import ReachabilityKeywords
from GuestLibrary.window import Window

_LONGEST = 100


class GuestLibrary(LibraryBase):
    """Checks the guests of KubeVirt VMs (their operating systems) from inside.

    The library works on the VMs of the test namespace that KubeVirtLibrary opened, so a suite imports both libraries. A
    keyword logs into a guest when it first needs it, and again after the guest was migrated or rebooted.

    Keywords log in by SSH through the API server (subresource ``portforward``), so the machine that runs robot needs no
    route to the VMs. They use the serial console if the VM has no pod network, or if SSH fails.

    = Minimal suite =

    | *** Settings ***
    | Library           KubeVirtLibrary
    | Library           GuestLibrary
    | Suite Teardown    Close Test Namespace
    |
    | *** Test Cases ***
    | Two VMs Reach Each Other
    |     Open Test Namespace
    |     Create Network    blue    on=bridge
    |     Define VM    web
    |     Add NIC    web    secondary    network=blue    addresses=10.10.0.10/24
    |     Define VM    peer
    |     Add NIC    peer    main    network=blue    addresses=10.10.0.11/24
    |     Start VMs
    |     Wait Until VMs Are Ready    within=10 min
    |     Co-locate VMs    within=5 min
    |     Guests Should Reach Each Other    web    peer    nic=secondary    within=1 min

    The introduction of KubeVirtLibrary says how to run it.

    = Keywords by topic =

    Core keywords are of general use. Scenario keywords are for one kind of test only. Topic and kind are also the tags
    of a keyword.

    %TOPICS%

    = Failure messages =

    A keyword fails with one of three kinds of message:

    - ``LAB ERROR:`` at the beginning means that a guest, its console or the network around it prevented the check;
    - ``TEST ERROR:`` at the beginning means that the suite uses a keyword wrongly;
    - any other message reports a fault of the product. It names the object, the expected state, and what was seen.

    Some keywords have an argument ``blame``. With ``blame=lab`` a failed check is a LAB ERROR. Use it for
    checks before the network change: what fails then cannot be a fault of the change.
    """

    def __init__(self) -> None:
        super().__init__(
            CommandKeywords,
            IdentityKeywords,
            InvariantKeywords,
            NicHotplugKeywords,
            ReachabilityKeywords,
            PacketLossKeywords,
            OutageKeywords,
        )

    def run_keyword(self, name: str, args: list[Any], kwargs: dict[str, Any] | None = None) -> Any:
        """Run a keyword; one that takes long shows progress messages on the console."""
        limit = next((kwargs[key] for key in ("within", "timeout") if kwargs and key in kwargs), None)
        seconds = limit.total_seconds() if isinstance(limit, timedelta) else None
        window = Window.of(SESSION, self.keywords[name].robot_tags[0], [*args, *(kwargs or {}).values()])
        with ticking(heartbeat, _awaited(name, args), seconds):
            try:
                return super().run_keyword(name, args, kwargs)
            except ProductFault as fault:
                raise window.blame(fault) from None


def _awaited(name: str, args: list[Any]) -> str:
    """The keyword as it stands in the suite, shortened."""
    words = " ".join([name, *(str(arg) for arg in args)])
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
