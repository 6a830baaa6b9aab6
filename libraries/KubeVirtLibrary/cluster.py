"""Keywords: what the cluster is and offers, whether it is fit, and its end."""

from __future__ import annotations

from typing import Any

from livenad.cluster.capabilities import CapabilityName
from livenad.cluster.preflight import CheckName
from livenad.errors import LabError
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import heartbeat, progress, step, suite_metadata, table, warn
from KubeVirtLibrary.opening import close_cluster, open_cluster, restore_settings_of_aborted_runs


class ClusterKeywords(KeywordComponent):
    """Any of them opens the cluster when none is open."""

    @keyword(name="Cluster Should Be Fit", tags=["cluster", "core"])
    def cluster_should_be_fit(self, *checks: CheckName) -> None:
        """Fails, as a LAB ERROR, with each lack that keeps the suites from running on the cluster, and its remedy.

        Checks KubeVirt, Multus, nodes and rights before anything is created. What only some suites need is asked by
        `Cluster Should Offer` and `User Should Be Allowed To`.

        Args:
        | ``checks`` | only these checks; none: all of them. |
        """
        for finding in self.run.preflight.require_fit(checks):
            step(f"{finding.name}: {finding.value}")

    @keyword(name="Cluster Should Offer", tags=["cluster", "core"])
    def cluster_should_offer(self, *capabilities: CapabilityName) -> None:
        """Skips unless the cluster has each of these capabilities; the message has the value that was measured.

        Where variable EXPECTED_CAPABILITIES names one that is missing, it is a LAB ERROR with the remedy instead.
        Without arguments all of EXPECTED_CAPABILITIES are checked. A capability is measured once in a run.

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
        | ``capabilities`` | names of the table. |
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
            raise LabError("\n".join(lacks))
        step(f"{len(expected)} capabilities are expected and there")

    @keyword(name="Get Cluster Capability", tags=["cluster", "core"])
    def get_cluster_capability(self, capability: CapabilityName) -> bool:
        """Returns whether the cluster has a capability, for IF in a suite of which only a part needs it.

        Args:
        | ``capability`` | a name of the table of `Cluster Should Offer`. |
        """
        found = self.run.capabilities.measured(capability)
        step(f"{capability}: {'there' if found.there else 'not there'}, {found.value}")
        return bool(found.there)

    @keyword(name="Get Cluster Facts", tags=["cluster", "core"])
    def get_cluster_facts(self) -> dict[str, str]:
        """Returns what the cluster is, as a dictionary of texts, and shows it as a table and as suite metadata.

        User and rights, KubeVirt with its gate and settings, nodes, Multus, NMState, OVN-Kubernetes and each
        capability of `Cluster Should Offer`. What may not be read is unknown; nothing is judged.
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
        """Removes what this run still has on the cluster, waits until its namespaces are gone, and ends the run.

        It happens by itself when the suite ends that opened the cluster. What cannot be removed is a warning and suite
        metadata, never a failure.
        """
        close_cluster(self.session)

    @keyword(name="Delete Orphaned Resources", tags=["cluster", "core"])
    def delete_orphaned_resources(self, *, dry_run: bool = False, strict: bool = False) -> list[str]:
        """Removes what aborted runs left on the cluster, and returns the names of their namespaces.

        Besides namespaces these are policies of NMState, which are undone on the nodes, ClusterUserDefinedNetworks,
        NADs in namespaces of others, leases, and all that they made in NAMESPACE where an administrator gave one.
        Settings of the cluster that an aborted run changed are put back as well.

        A running test run renews a lease every few seconds. Nothing of a running run is touched, nor anything that no
        run has created, however it is named or labelled. Takes up to 40 seconds to tell aborted runs from running
        ones. What cannot be removed is a warning.

        Args:
        | ``dry_run`` | only say what would be removed. |
        | ``strict`` | fail when something cannot be removed. |
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
            raise LabError(f"of what dead runs left, this stays: {'; '.join(left)}")
        return leftovers.namespaces
