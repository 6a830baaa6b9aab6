# SPDX-License-Identifier: Apache-2.0
"""Keywords: what the cluster is and offers, whether it is fit, and its end."""

from __future__ import annotations

from typing import Any

from livenad.cluster.capabilities import CapabilityName
from livenad.cluster.preflight import CheckName, listed
from livenad.cluster.pretended_lacks import LackName, refusal
from livenad.errors import LAB_ERROR_PREFIX, LabError
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import heartbeat, progress, step, suite_metadata, table, warn
from KubeVirtLibrary.opening import close_cluster, open_cluster, restore_settings_of_aborted_runs


class ClusterKeywords(KeywordComponent):
    """Any of them opens the cluster when none is open."""

    @keyword(name="Cluster Should Be Fit", tags=["cluster", "core"])
    def cluster_should_be_fit(self, *checks: CheckName, without: list[LackName] | None = None) -> None:
        """Fails with a LAB ERROR if the cluster lacks something that every suite needs.

        The message lists all that is missing, each with its remedy. Checked are KubeVirt, Multus, nodes, the networks
        of the chosen profile, and rights. Nothing is created. What only some suites need is checked by
        `Cluster Should Offer` and `User Should Be Allowed To`.

        Args:
        | ``checks`` | only these checks; without any, all. A check that the user has no right to make is left out. If |
        | | it was asked for by name, the Robot test is skipped. |
        | ``without`` | for tests of this keyword only: judge the cluster as if it lacked these things. The keyword |
        | | then always fails: with the LAB ERROR that names them, or with a TEST ERROR if that error does not come. |

        Example:
        | Cluster Should Be Fit
        """
        if without is not None:
            refusal(self.run.lab(), without)
        for finding in self.run.preflight.require_fit(checks):
            step(f"{finding.name}: {finding.value}")

    @keyword(name="Cluster Should Offer", tags=["cluster", "core"])
    def cluster_should_offer(self, *capabilities: CapabilityName) -> None:
        """Skips the test unless the cluster has each of these capabilities; the message shows the measured value.

        If variable EXPECTED_CAPABILITIES lists the missing capability, the keyword fails with a LAB ERROR instead.
        Without arguments, all capabilities of EXPECTED_CAPABILITIES are checked. Each capability is measured once in
        each run.

        | =Capability= | =What it is= |
        | ``live-update`` | a changed networkName takes effect on the running VM |
        | ``gate-off`` | live update is off, or can be turned off |
        | ``settings-switch`` | settings of the whole cluster may be changed while a suite runs |
        | ``automatic-migration`` | the cluster live-migrates a VM whose change needs it |
        | ``localnet`` | networks of OVN-Kubernetes with topology localnet |
        | ``second-bridge`` | a second bridge on every node, which is not connected to the first |
        | ``dynamic-networks-controller`` | Multus' controller that plugs NICs into running pods |
        | ``metrics`` | KubeVirt's metrics can be read |
        | ``foreign-nad`` | a VM may use a NAD of another namespace |
        | ``rwo-storage`` | a StorageClass for volumes that one node at a time can mount |
        | ``ipv6`` | guests have IPv6 addresses |
        | ``eviction`` | the user may evict pods, as ``kubectl drain`` does |
        | ``node-list`` | the user may list the nodes |

        Args:
        | ``capabilities`` | names of the table. |

        Example:
        | Cluster Should Offer    live-update    automatic-migration
        """
        run = self.run
        if capabilities:
            for name in capabilities:
                step(f"{name}: {run.capabilities.require(name)}")
            return
        expected: Any = run.settings.expected_capabilities
        lacks = []
        for name in expected:
            try:
                step(f"{name}: {run.capabilities.require(name)}")
            except LabError as error:
                lacks.append(str(error))
        if lacks:
            raise LabError(listed([lack.removeprefix(LAB_ERROR_PREFIX) for lack in lacks]))
        step(f"{len(expected)} expected capabilities are available")

    @keyword(name="Get Cluster Capability", tags=["cluster", "core"])
    def get_cluster_capability(self, capability: CapabilityName) -> bool:
        """Returns whether the cluster has a capability. Does not skip the test.

        Use it with IF, when only a part of a suite needs the capability.

        Args:
        | ``capability`` | a name of the table of `Cluster Should Offer`. |

        Example:
        | ${ipv6}    Get Cluster Capability    ipv6
        | IF    ${ipv6}    Log    The guests have IPv6 addresses.
        """
        found = self.run.capabilities.measured(capability)
        step(f"{capability}: {'there' if found.there else 'not there'}, {found.value}")
        return bool(found.there)

    @keyword(name="Get Cluster Facts", tags=["cluster", "core"])
    def get_cluster_facts(self) -> dict[str, str]:
        """Returns facts about the cluster as a dictionary of texts, and shows them as a table and as suite metadata.

        The facts are: user and rights, KubeVirt with its feature gate and settings, nodes, Multus, NMState,
        OVN-Kubernetes, and each capability of `Cluster Should Offer`. A fact that the user may not read is shown as
        unknown. No fact makes the keyword fail.

        Example:
        | ${facts}    Get Cluster Facts
        | Log Many    &{facts}
        """
        from livenad.cluster.inventory import survey  # noqa: PLC0415 - few suites need it

        run = self.run
        rows = survey(run.lab(), run.capabilities, run.preflight)
        lines = [(row.name, row.verdict, row.value, "" if row.there else row.remedy) for row in rows]
        table(("What", "There", "Found", "Remedy"), lines)
        for row in rows:
            suite_metadata(row.name, str(row), top=False)
        return {row.name: row.value for row in rows}

    @keyword(name="Close Cluster", tags=["cluster", "core"])
    def close_cluster(self) -> None:
        """Removes all resources of this run and closes the connection.

        This happens automatically at the end of the suite that opened the cluster. The keyword waits a few seconds
        until the namespaces of this run are gone. If they take longer, the robot process waits for them at its end.

        A resource that cannot be removed causes a warning and suite metadata, never a failure.

        Example:
        | Close Cluster
        """
        close_cluster(self.session)

    @keyword(name="Delete Orphaned Resources", tags=["cluster", "core"])
    def delete_orphaned_resources(self, *, dry_run: bool = False, strict: bool = False) -> list[str]:
        """Removes resources that aborted runs left on the cluster, and returns the names of their namespaces.

        An aborted run is one that was killed before it could remove its resources. Removed are its namespaces, NMState
        policies (their effect on the nodes is reverted), ClusterUserDefinedNetworks, NADs in other namespaces, leases,
        and what it created in the namespace of variable NAMESPACE. Cluster settings that it changed are restored.

        Resources of a run that still goes on are not removed, and nothing that no run created. A run that goes on
        renews a Lease object every few seconds; the keyword takes up to 40 seconds to see which leases are renewed. A
        resource that cannot be removed causes a warning.

        Args:
        | ``dry_run`` | only report what would be removed. |
        | ``strict`` | fail when something cannot be removed. |

        Example:
        | ${namespaces}    Delete Orphaned Resources    dry_run=yes
        | Log Many    @{namespaces}
        """
        from livenad.namespaces.orphaned_resources import OrphanedResources  # noqa: PLC0415

        if self.session.run is None:
            open_cluster(self.session, restore=not dry_run)
        else:
            restore_settings_of_aborted_runs(self.run, dry_run=dry_run)
        run = self.run
        leftovers = OrphanedResources(run.networks.book, run.settings.namespace, heartbeat)
        for line in leftovers.unseen:
            step(line)
        left = [] if dry_run else leftovers.remove(run.settings.network_timeout)
        for title in leftovers.titles or ["nothing"]:
            progress(f"{'Would remove' if dry_run else 'Removed'}: {title}")
        for line in left:
            warn(f"Left: {line}")
        if left and strict:
            raise LabError(f"resources of aborted runs that could not be removed: {'; '.join(left)}")
        return leftovers.namespaces
