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
        """Fails with a LAB ERROR that lists everything the cluster lacks for the suites, each with its remedy.

        Checks KubeVirt, Multus, nodes, the networks of the chosen profile, and rights before anything is created. What
        only some suites need is checked by `Cluster Should Offer` and `User Should Be Allowed To`.

        Args:
        | ``checks`` | only these checks; none: all. A named one that the user may not make is a skip. |
        | ``without`` | for a test of these checks: judge what was found as if the cluster lacked ``second-node``, |
        | | ``schedulable-nodes``, ``kubevirt``, ``multus`` or ``rights``. The keyword then always fails: with the |
        | | LAB ERROR that such a cluster gets, or with a TEST ERROR if it would be accepted. ``nothing``: always |
        | | that TEST ERROR. |

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

        If variable EXPECTED_CAPABILITIES lists the missing capability, it is a LAB ERROR with the remedy instead of a
        skip. Without arguments all of EXPECTED_CAPABILITIES are checked. Each capability is measured once per run.

        | =Capability= | =What it is= |
        | ``live-update`` | a changed networkName takes effect on the running VM |
        | ``gate-off`` | live update is off, or can be turned off |
        | ``settings-switch`` | settings of the whole cluster can be changed for the time of a suite |
        | ``automatic-migration`` | the cluster live-migrates a VM whose change needs it |
        | ``localnet`` | networks of OVN-Kubernetes with topology localnet |
        | ``second-bridge`` | another bridge on every node, apart from the first |
        | ``dynamic-networks-controller`` | NICs are plugged into running pods |
        | ``metrics`` | KubeVirt's metrics can be read |
        | ``foreign-nad`` | a VM may use a NAD of another namespace |
        | ``rwo-storage`` | a StorageClass for volumes of one node |
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
        """Returns whether the cluster has a capability, for IF in a suite of which only a part needs it.

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

        They are: user and rights, KubeVirt with its gate and settings, nodes, Multus, NMState, OVN-Kubernetes and each
        capability of `Cluster Should Offer`. A fact that the user may not read is shown as unknown. No fact makes the
        keyword fail.

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

        Waits a few seconds for its namespaces to go. If that takes longer, the report is written meanwhile, and the
        process ends when they are gone.

        This happens automatically at the end of the suite that opened the cluster. A resource that cannot be removed
        causes a warning and suite metadata, never a failure.

        Example:
        | Close Cluster
        """
        close_cluster(self.session)

    @keyword(name="Delete Orphaned Resources", tags=["cluster", "core"])
    def delete_orphaned_resources(self, *, dry_run: bool = False, strict: bool = False) -> list[str]:
        """Removes resources that aborted runs left on the cluster, and returns the names of their namespaces.

        Besides namespaces these are NMState policies (their effect on the nodes is reverted),
        ClusterUserDefinedNetworks, NADs in namespaces that existed before, leases, and everything that the runs created
        in the namespace of variable NAMESPACE. Cluster settings that an aborted run changed are restored as well.

        A running test run renews a lease every few seconds. Resources of a running run are not removed, nor anything
        that no run has created, however it is named or labelled. It takes up to 40 seconds to distinguish aborted runs
        from running ones. A resource that cannot be removed causes a warning.

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
