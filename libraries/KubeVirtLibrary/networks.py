# SPDX-License-Identifier: Apache-2.0
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
        """Creates a network (NAD) for NICs of this suite's VMs, on a VLAN that no other run uses.

        Variables NODE_NETWORK and LOCALNET (see ``variables/defaults.yaml``) select how the network is built. The VLAN
        comes from the pool of variable VLANS; it is leased on the cluster until the guests are gone. If the cluster
        lacks a capability that the network needs, the test is skipped.

        Args:
        | ``name`` | name of the network, a DNS name. |
        | ``on`` | ``bridge``, ``other bridge`` (apart from the first one) or ``localnet``. |
        | ``vlan_of`` | a network of this suite whose VLAN number is used; empty: a VLAN of its own. |
        | ``namespace`` | one of `Create Additional Namespace`; empty: the test namespace. |

        Example:
        | Create Network    old-network    on=bridge
        | Create Network    new-network    on=bridge
        """
        namespace = namespace or self.suite.namespace.name
        require_nad_name(name)
        made = self.run.networks.create(name, on, vlan_of or "", namespace)
        step(f"Network {namespace}/{name}: {made}")

    @keyword(name="Co-locate VMs", tags=["networks", "core"])
    def colocate_vms(self, vm: VmName | None = None, *, within: timedelta) -> None:
        """Moves the VMs of the suite to one node if NODE_NETWORK makes networks that are local to a node; otherwise
        does nothing.

        Call it after VMs were started or one was migrated: guests on node-local bridges reach each other only on the
        same node. They are moved by live migrations, for which the right to update ``virtualmachines/migrate`` is
        needed.

        Args:
        | ``vm`` | a VM that runs, to whose node the others come; empty: to where most of them are. |
        | ``within`` | longest wait, for all moves together. |

        Example:
        | Start VMs
        | Wait Until VMs Are Ready    within=10 min
        | Co-locate VMs    within=5 min
        """
        from livenad.networks.backends import NODE_LOCAL  # noqa: PLC0415
        from livenad.networks.colocation import colocate  # noqa: PLC0415

        run, suite = self.run, self.suite
        name = self.vm(vm).name if vm else ""
        if run.settings.node_network != NODE_LOCAL:
            return
        moved = colocate(run.cluster, suite.recorder, list(suite.vms), name, within.total_seconds())
        step(f"Moved to one node: {', '.join(moved) or 'none, all VMs are on it'}")
