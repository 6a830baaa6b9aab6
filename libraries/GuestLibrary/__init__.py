"""Keywords that look, act and probe inside the guests of KubeVirt VMs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from KubeVirtLibrary.base import LibraryBase
from KubeVirtLibrary.log import heartbeat
from livenad.api.progress import ticking

from GuestLibrary.commands import CommandKeywords
from GuestLibrary.identity import IdentityKeywords
from GuestLibrary.nic_hotplug import NicHotplugKeywords
from GuestLibrary.outage import OutageKeywords
from GuestLibrary.packet_loss import PacketLossKeywords
from GuestLibrary.reachability import ReachabilityKeywords

_LONGEST = 100


class GuestLibrary(LibraryBase):
    """What a guest is, and which others it reaches: read inside the guest, over SSH or its serial console.

    The library works on the VMs that KubeVirtLibrary defined in the open test namespace. Importing it connects to
    nothing; a guest is logged into when a keyword first needs it, and again when it moved to another node or rebooted.
    SSH goes through the ``portforward`` subresource, so no route to the pod network is needed; the host key is the one
    that the run gave to the guest. The console serves VMs without a pod network, and when SSH fails.

    *Whose fault*: a keyword FAILS when the product did not do what it should. When a guest, a peer or a console kept it
    from judging, its message begins with ``LAB ERROR``. ``blame=lab`` turns the former into the latter, for checks that
    are made before the change. ``TEST ERROR`` says that the suite uses a keyword wrongly.
    """

    def __init__(self) -> None:
        super().__init__(
            CommandKeywords,
            IdentityKeywords,
            NicHotplugKeywords,
            ReachabilityKeywords,
            PacketLossKeywords,
            OutageKeywords,
        )

    def run_keyword(self, name: str, args: list[Any], kwargs: dict[str, Any] | None = None) -> Any:
        """Run a keyword; one that takes long shows progress messages on the console."""
        limit = next((kwargs[key] for key in ("within", "timeout") if kwargs and key in kwargs), None)
        seconds = limit.total_seconds() if isinstance(limit, timedelta) else None
        with ticking(heartbeat, _awaited(name, args), seconds):
            return super().run_keyword(name, args, kwargs)


def _awaited(name: str, args: list[Any]) -> str:
    """The keyword as it stands in the suite, shortened."""
    words = " ".join([name, *(str(arg) for arg in args)])
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
