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
    """Checks guests of KubeVirt VMs from inside, over SSH or the serial console: identity, interfaces, reachability.

    The library works on the VMs of the test namespace that KubeVirtLibrary opened. Importing it connects to nothing.
    A keyword logs into a guest when it first needs it, and again after the guest was migrated or rebooted. SSH goes
    through the ``portforward`` subresource, so no route to the pod network is needed; the host key is the one that the
    run gave to the guest. The serial console is used for VMs without a pod network, and when SSH fails.

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

    Run it with ``robot --pythonpath libraries suite.robot``.

    = Keywords by topic =

    %TOPICS%

    Each keyword has the tag of its topic, and *core* or *scenario*: keywords tagged *scenario* are for one kind of
    scenario only.

    = Failure messages =

    If the product does not do what it should, a keyword fails with the object, the expected state and the last state
    seen. ``LAB ERROR:`` at the beginning means that a guest, a peer or a console prevented the check; ``TEST ERROR:``
    that the suite uses a keyword wrongly. With ``blame=lab`` a fault of the product is reported as a LAB ERROR: use it
    for checks before the change.
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
