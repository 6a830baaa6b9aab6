"""Keywords that look, act and probe inside the guests of KubeVirt VMs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from livenad.api.progress import ticking
from livenad.context import own_names
from robot.api import logger
from robotlibcore import DynamicCore

from GuestLibrary.commands import CommandKeywords
from GuestLibrary.crossings import CrossingKeywords
from GuestLibrary.identity import IdentityKeywords
from GuestLibrary.plugging import PluggingKeywords
from GuestLibrary.reachability import ReachabilityKeywords

_LONGEST = 100


class GuestLibrary(DynamicCore):
    """What a guest is, and whom it reaches: read inside the guest, over SSH or its serial console.

    The library works on the VMs that KubeVirtLibrary defined in the open test namespace. Importing it connects to
    nothing; a guest is logged into when a keyword first needs it, and again when it moved to another node or rebooted.
    SSH goes through the ``portforward`` subresource, so no route to the pod network is needed; the host key is the one
    that the run gave to the guest. The console serves VMs without a pod network, and when SSH fails.

    *Whose fault*: a keyword FAILS when the product did not do what it should. When a guest, a peer or a console kept it
    from judging, its message begins with ``LAB ERROR``. ``blame=lab`` turns the former into the latter, for checks that
    are made before the act.
    """

    ROBOT_LIBRARY_SCOPE = "GLOBAL"
    ROBOT_LIBRARY_DOC_FORMAT = "ROBOT"

    def __init__(self) -> None:
        super().__init__(
            [IdentityKeywords(), ReachabilityKeywords(), CrossingKeywords(), PluggingKeywords(), CommandKeywords()]
        )

    def run_keyword(self, name: str, args: list[Any], kwargs: dict[str, Any] | None = None) -> Any:
        """Run a keyword; one that takes long shows a sign of life on the console."""
        limit = next((kwargs[key] for key in ("within", "timeout") if kwargs and key in kwargs), None)
        seconds = limit.total_seconds() if isinstance(limit, timedelta) else None
        with ticking(lambda line: logger.console(f"... {line}"), _awaited(name, args), seconds):
            return super().run_keyword(name, *own_names(self.keywords[name], args, kwargs))


def _awaited(name: str, args: list[Any]) -> str:
    """The keyword as it stands in the suite, shortened."""
    keyword = name.replace("_", " ").title() if name.islower() else name
    words = " ".join([keyword, *(str(arg) for arg in args)])
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
