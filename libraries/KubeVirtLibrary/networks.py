"""Keywords: the networks of a suite."""

from __future__ import annotations

from datetime import timedelta

from livenad.networks.attachment import Place
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent, require_nad_name
from KubeVirtLibrary.log import step
from KubeVirtLibrary.types import NetworkName, VmName


class NetworkKeywords(KeywordComponent):
    """Networks that NICs of VMs may be put on."""

    @keyword(name="Create Network", tags=["networks", "core"])
    def create_network(self, name: str, *, on: Place, vlan_of: NetworkName | None = None, namespace: str = "") -> None:
        """Creates a network (NAD) on a VLAN that no other run uses, by which NICs of this suite's VMs reach each other.

        What stands behind a place is the user's choice: see NODE_NETWORK and LOCALNET in ``variables/defaults.yaml``.
        The VLAN comes from the pool VLANS; it is leased on the cluster, and free again when the guests are gone.
        Skips where the place needs a capability that the cluster does not have.

        Args:
        | ``name`` | name of the network, a DNS name. |
        | ``on`` | ``bridge``, ``other bridge`` (apart from the first one) or ``localnet``. |
        | ``vlan_of`` | a network of this suite whose VLAN number is used; empty: a VLAN of its own. |
        | ``namespace`` | one of `Create Additional Namespace`; empty: the test namespace. |
        """
        namespace = namespace or self.suite.namespace.name
        require_nad_name(name)
        made = self.run.networks.create(name, on, vlan_of or "", namespace)
        step(f"Network {namespace}/{name}: {made}")

    @keyword(name="Co-locate VMs", tags=["networks", "core"])
    def colocate_vms(self, vm: VmName | None = None, *, within: timedelta) -> None:
        """Moves the VMs of the suite to one node, where the networks end at their nodes; otherwise does nothing.

        To be called when VMs were started or one has moved: guests on node-local bridges (NODE_NETWORK) reach each
        other on one node only. They are moved by live migrations, for which the right to update
        ``virtualmachines/migrate`` is needed.

        Args:
        | ``vm`` | a VM that runs, to whose node the others come; empty: to where most of them are. |
        | ``within`` | for how long the moves may take, all of them together. |
        """
        from livenad.networks.backends import NODE_LOCAL  # noqa: PLC0415
        from livenad.networks.colocation import colocate  # noqa: PLC0415

        run, suite = self.run, self.suite
        name = self.vm(vm).name if vm else ""
        if run.settings.node_network != NODE_LOCAL:
            return
        moved = colocate(run.cluster, suite.recorder, list(suite.vms), name, within.total_seconds())
        step(f"Moved, so that all guests are on one node: {', '.join(moved) or 'none, they are'}")
