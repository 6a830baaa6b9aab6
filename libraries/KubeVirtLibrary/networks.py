"""Keywords: the networks of a suite."""

from __future__ import annotations

from datetime import timedelta

from livenad.api.kinds import NAD
from livenad.context import Run
from livenad.errors import BadInput
from livenad.networks.attachment import Place
from livenad.networks.backends import NODE_LOCAL
from livenad.networks.colocation import bring_together
from livenad.networks.nad_manifests import bridge_nad
from livenad.networks.run_networks import RunNetworks
from robot.api.deco import keyword

from KubeVirtLibrary.namespaces import require_nad_name
from KubeVirtLibrary.reporting import step

_BRIDGE_LENGTH = 15


class NetworkKeywords:
    """Networks that NICs of VMs may be put on."""

    @keyword(name="Create Network", tags=["network"])
    def create_network(self, name: str, *, on: Place, vlan_of: str = "", namespace: str = "") -> None:
        """Creates a network on a VLAN that no other run uses, by which NICs of this suite's VMs reach each other.

        What stands behind a place is the user's choice: see NODE_NETWORK and LOCALNET in ``variables/defaults.yaml``.
        The VLAN comes from the pool VLANS; it is leased on the cluster, and free again when the guests are gone.
        Skips where the place needs a capability that the cluster does not have.

        Args:
        | ``name`` | name of the network, a DNS name. |
        | ``on`` | ``bridge``, ``other bridge`` (apart from the first one) or ``localnet``. |
        | ``vlan_of`` | a network of this suite, the number of whose VLAN is used; empty: a VLAN of its own. |
        | ``namespace`` | one of `Create Further Namespace`; empty: the test namespace. |
        """
        run = Run.current()
        namespace = namespace or run.require_namespace()
        require_nad_name(name)
        made = RunNetworks.of(run).create(name, on, vlan_of, namespace)
        step(f"Network {namespace}/{name}: {made}")

    @keyword(name="Create Bridge Network", tags=["network"])
    def create_bridge_network(self, name: str, *, bridge: str, vlan: int, namespace: str = "") -> None:
        """Creates a NAD that connects NICs to one VLAN of a Linux bridge. Leases nothing: see `Create Network`.

        Args:
        | ``name`` | name of the NAD, a DNS name. |
        | ``bridge`` | the bridge, on every node; 15 characters at most. |
        | ``vlan`` | 1 to 4094, 0 for untagged. |
        | ``namespace`` | one of `Create Further Namespace`; empty: the test namespace. |
        """
        run = Run.current()
        namespace = namespace or run.require_namespace()
        require_nad_name(name)
        if not 0 < len(bridge) <= _BRIDGE_LENGTH or set(bridge) & set(" /"):
            raise BadInput(
                f'bridge "{bridge}" of network "{name}": expected a Linux bridge name of 15 characters at most'
            )
        if not 0 <= vlan <= 4094:
            raise BadInput(f'VLAN {vlan} of network "{name}": expected 0 (untagged) to 4094')
        name = run.naming.real(name)
        run.ledger.create(NAD, bridge_nad(name, namespace, bridge, vlan))
        step(f"NAD {namespace}/{name}: bridge {bridge}, VLAN {vlan}")

    @keyword(name="Bring Guests Together", tags=["network", "vm"])
    def bring_guests_together(self, vm: str = "", *, within: timedelta) -> None:
        """Moves the VMs of the suite to one node, where the networks end at their nodes; otherwise does nothing.

        To be called when VMs were started or one has moved: guests on node-local bridges (NODE_NETWORK) reach each
        other on one node only. They are moved by live migrations, for which the right to update
        ``virtualmachines/migrate`` is needed.

        Args:
        | ``vm`` | a VM that runs, to whose node the others come; empty: to where most of them are. |
        | ``within`` | for how long the moves may take, all of them together. |
        """
        run = Run.current()
        if vm:
            run.vm(vm)
        if run.settings.node_network != NODE_LOCAL:
            return
        moved = bring_together(run, vm, within.total_seconds())
        step(f"Moved, so that all guests are on one node: {', '.join(moved) or 'nobody, they are'}")
