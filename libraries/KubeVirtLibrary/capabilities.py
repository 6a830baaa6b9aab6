"""Keywords: what the cluster offers and what the user may do, asked before anything is created."""

from __future__ import annotations

from livenad.cluster.capabilities import require_offer
from livenad.context import Run
from livenad.errors import CapabilityMissing
from robot.api.deco import keyword
from robot.libraries.BuiltIn import BuiltIn

from KubeVirtLibrary.reporting import step


class CapabilityKeywords:
    """A suite's setup begins with these."""

    @keyword(name="Cluster Should Offer", tags=["cluster"])
    def cluster_should_offer(self, capability: str, *more: str) -> None:
        """Skips unless the cluster has each of these capabilities; the message has the value that was measured.

        Where variable EXPECTED_CAPABILITIES names one that is missing, it is an error of the lab instead, with the
        remedy. A capability is measured once in a run.

        | =Capability= | =What it is= |
        | ``live-update`` | a changed networkName takes effect on the running VM |
        | ``gate-off`` | it does not, or may be kept from it |
        | ``settings-switch`` | settings of the whole cluster may be changed for a while |
        | ``automatic-migration`` | the cluster live-migrates a VM whose change needs it |
        | ``localnet`` | networks of OVN-Kubernetes with topology localnet |
        | ``second-bridge`` | another bridge on every node, apart from the first |
        | ``dynamic-networks-controller`` | NICs are plugged into running pods |
        | ``metrics`` | KubeVirt's metrics can be read |
        | ``foreign-nad`` | a VM may use a NAD of another namespace |
        | ``rwo-storage`` | a StorageClass for volumes of one node |
        | ``ipv6`` | guests have IPv6 addresses |

        Args:
        | ``capability`` | one of the table. |
        | ``more`` | further ones. |
        """
        run = Run.current()
        for name in (capability, *more):
            step(f"{name}: {require_offer(run, name)}")

    @keyword(name="Where Cluster Offers", tags=["cluster"])
    def where_cluster_offers(self, capability: str, act: str, *arguments: object) -> None:
        """Runs a keyword on a cluster that has a capability, and leaves it out on any other.

        It is for a suite of which only a part needs the capability. The tests of that part begin with `Cluster Should
        Offer` and are skipped where the act was left out.

        Args:
        | ``capability`` | one of the table of `Cluster Should Offer`. |
        | ``act`` | a keyword. |
        | ``arguments`` | its arguments. |
        """
        try:
            require_offer(Run.current(), capability)
        except CapabilityMissing as missing:
            step(f"{act} is left out: {missing}")
        else:
            BuiltIn().run_keyword(act, *arguments)

    @keyword(name="User Should Be Allowed To", tags=["cluster"])
    def user_should_be_allowed_to(self, deed: str, *more: str) -> None:
        """Fails, as an error of the lab, with each right that the user does not have for what the suite does.

        | =Deed= | =What it is= |
        | ``restart-vms`` | ``virtctl restart`` |
        | ``start-and-stop-vms`` | ``virtctl start`` and ``stop`` |
        | ``migrate-vms`` | ``virtctl migrate`` |
        | ``break-migrations`` | deletion of launcher pods |
        | ``make-vm-owners`` | service accounts with the role ``edit`` of a namespace |

        Args:
        | ``deed`` | one of the table. |
        | ``more`` | further ones. |
        """
        from livenad.cluster.preflight import require_rights  # noqa: PLC0415

        run = Run.current()
        rights = require_rights(run, (deed, *more))
        step(f"The user may {', '.join((deed, *more))}: " + "; ".join(map(str, rights)))
