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

        The VLAN is one of those in variable VLANS. Other runs on the cluster do not use it until the guests of this
        suite are gone. Variables NODE_NETWORK and LOCALNET select how the network is built; ``variables/defaults.yaml``
        explains them. If the cluster lacks a capability that the network needs, the test is skipped.

        Args:
        | ``name`` | name of the network, a DNS name. |
        | ``on`` | ``bridge``; ``other bridge``, which is not connected to the first one; or ``localnet``. |
        | ``vlan_of`` | a network of this suite: the new network gets the same VLAN id; empty: a VLAN of its own. |
        | ``namespace`` | a namespace of `Create Additional Namespace`; empty: the test namespace. |

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
        """Moves all VMs of the suite to one node, if variable NODE_NETWORK is ``node-local``. Otherwise does nothing.

        Guests on node-local networks reach each other only on the same node. So call this keyword after the VMs were
        started, and after one of them was migrated. It live-migrates the VMs, which needs the right to update
        ``virtualmachines/migrate``.

        Args:
        | ``vm`` | a VM that runs; the others are moved to its node. Empty: to the node that has most of them. |
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
            step(f"No VM is moved: the networks connect the nodes (variable NODE_NETWORK: {run.settings.node_network})")
            return
        moved = colocate(run.cluster, suite.recorder, list(suite.vms), name, within.total_seconds())
        step(f"Moved to one node: {', '.join(moved) or 'none, all VMs are on it'}")
