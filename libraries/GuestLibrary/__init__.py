"""Keywords that look, act and probe inside the guests of KubeVirt VMs."""

from __future__ import annotations

from robotlibcore import DynamicCore

from GuestLibrary.commands import CommandKeywords
from GuestLibrary.crossings import CrossingKeywords
from GuestLibrary.identity import IdentityKeywords
from GuestLibrary.plugging import PluggingKeywords
from GuestLibrary.reachability import ReachabilityKeywords


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
