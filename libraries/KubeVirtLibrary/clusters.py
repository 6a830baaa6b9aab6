"""Keywords: open a cluster, check that it is fit, close it, remove what dead runs left."""

from __future__ import annotations

from livenad.cluster.capabilities import check_names
from livenad.cluster.facts import ClusterFacts, read_facts, read_version
from livenad.context import Run, new_run_id
from livenad.errors import LabError
from livenad.ownership.created_resources import Ledger
from livenad.settings import VARIABLES, Settings
from livenad.stop_signals import GUARD
from robot.api.deco import keyword
from robot.utils import timestr_to_secs

from KubeVirtLibrary.reporting import details, heartbeat, progress, step, suite_metadata, variable, warn
from KubeVirtLibrary.switches import restore_after_dead_runs

_FIRST_CONTACT_SECONDS = 5.0
_REMOVAL_SECONDS = 120.0


class ClusterKeywords:
    """The run begins and ends here."""

    @keyword(name="Open Cluster", tags=["cluster"])
    def open_cluster(self) -> None:
        """Reads and checks all variables, connects to the API server and begins a run. Creates nothing.

        Fails within seconds when a variable has an unusable value, when the kubeconfig is missing or broken, or when
        the API server does not answer. Does nothing when a cluster is open already. What a dead run changed in the
        settings of the cluster is put back, see `Switch Cluster Setting`.
        """
        self._open(restore=True)

    @staticmethod
    def _open(*, restore: bool) -> None:
        if Run.current_or_none() is not None:
            return
        GUARD.install()
        settings = Settings.from_variables({name: variable(name) for name in VARIABLES}, timestr_to_secs)
        check_names(settings.expected_capabilities, "variable EXPECTED_CAPABILITIES")
        from livenad.api.client import Cluster  # noqa: PLC0415 - the client is slow to import; a dry run does without
        from livenad.api.connection import open_connection  # noqa: PLC0415

        connection = open_connection(settings.kubeconfig, settings.context, verify=settings.verify_tls)
        if connection.unverified:
            warn(f"The certificate of {connection.server} is not verified: {connection.unverified}")
        cluster = Cluster(connection, patience=_FIRST_CONTACT_SECONDS)
        facts = read_facts(cluster, read_version(cluster))
        cluster.patience = Cluster.PATIENCE
        run_id = new_run_id()
        run = Run(settings, cluster, Ledger(cluster, run_id), run_id)
        run.facts = facts
        run.make_current()
        ClusterKeywords._show(facts, run_id, connection.source)
        restore_after_dead_runs(run, dry_run=not restore)

    @keyword(name="Cluster Should Be Fit", tags=["cluster", "verdict"])
    def cluster_should_be_fit(self) -> None:
        """Checks KubeVirt, Multus, nodes and rights before anything is created: what no suite can do without.

        Fails with every lack of the lab and its remedy. What only some suites need is asked by `Cluster Should Offer`
        and `User Should Be Allowed To`.
        """
        from livenad.cluster.preflight import require_fit_cluster  # noqa: PLC0415

        run = Run.current()
        findings = require_fit_cluster(run)
        step("The cluster is fit: " + "; ".join(f"{finding.name}: {finding.value}" for finding in findings))

    @keyword(name="Close Cluster", tags=["cluster", "cleanup"])
    def close_cluster(self) -> None:
        """Removes what this run still has on the cluster, waits until its namespaces are gone, and ends the run.

        What cannot be removed is a warning and suite metadata, never a failure.
        """
        run = Run.current_or_none()
        if run is None:
            return
        try:
            self._remove_everything(run)
        finally:
            run.ledger.lease.stop()
            run.cluster.close()
            run.forget()

    @keyword(name="Delete Leftovers", tags=["cleanup"])
    def delete_leftovers(self, *, dry_run: bool = False, strict: bool = False) -> list[str]:
        """Removes what dead runs left on the cluster and returns the names of their namespaces.

        Besides namespaces these are policies of NMState, which are undone on the nodes, ClusterUserDefinedNetworks,
        NADs in namespaces of others, leases, and all that they made in NAMESPACE where an administrator gave one.
        Settings of the cluster that a dead run changed are put back as well.

        A run that lives renews a lease every few seconds; nothing of a living run is touched, nor anything that no run
        has created, however it is named or labelled. Takes up to 40 seconds to tell the dead from the living. What
        cannot be removed is a warning.

        Args:
        | ``dry_run`` | only say what would be removed. |
        | ``strict`` | fail when something cannot be removed. |
        """
        from livenad.networks.run_networks import RunNetworks  # noqa: PLC0415
        from livenad.ownership.orphaned_resources import Leftovers  # noqa: PLC0415

        if Run.current_or_none() is None:
            self._open(restore=not dry_run)
        else:
            restore_after_dead_runs(Run.current(), dry_run=dry_run)
        run = Run.current()
        leftovers = Leftovers(RunNetworks.of(run, heartbeat).book, run.settings.namespace, heartbeat)
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

    @keyword(name="Get Cluster Version", tags=["cluster"])
    def get_cluster_version(self) -> str:
        """Returns the version of KubeVirt on the open cluster, such as ``v1.9.0``."""
        kubevirt = Run.current().require_facts().kubevirt
        return kubevirt.version_text if kubevirt else "none"

    def close_quietly(self) -> None:
        """Close at the end of the process, when nobody listens any more."""
        try:
            self.close_cluster()
        except LabError as error:
            warn(f"The cluster could not be left clean: {error}")

    @staticmethod
    def _remove_everything(run: Run) -> None:
        from livenad.namespaces.closing import close_namespace  # noqa: PLC0415
        from livenad.networks.run_networks import RunNetworks  # noqa: PLC0415
        from livenad.ownership.removal import await_gone, await_no_guests  # noqa: PLC0415

        for error in run.call_close_hooks():
            warn(f"Before the namespace goes: {error}")
        left = close_namespace(run, run.namespace) if run.namespace is not None else []
        left += run.ledger.remove()
        left += await_gone(run.cluster, run.namespaces, _REMOVAL_SECONDS, heartbeat)
        if run.settings.namespace:
            left += await_no_guests(run.cluster, run.settings.namespace, run.run_id, _REMOVAL_SECONDS, heartbeat)
        networks = RunNetworks.known(run)
        left += networks.close() if networks is not None else []
        left += run.ledger.lease.lost()
        if left:
            warn("Left on the cluster: " + "; ".join(left) + ". Remove it with `Delete Leftovers`.")
            suite_metadata("Leftovers", "; ".join(left))

    @staticmethod
    def _show(facts: ClusterFacts, run_id: str, source: str) -> None:
        kubevirt = facts.kubevirt.version_text if facts.kubevirt else "not installed"
        kind = "embedded cluster" if facts.embedded else "cluster"
        nodes = ", ".join(facts.nodes.names) if facts.nodes else "may not be listed"
        suite_metadata("Cluster", f"{kind} {facts.server}, Kubernetes {facts.server_version}")
        suite_metadata("KubeVirt", kubevirt)
        suite_metadata("Nodes", nodes)
        suite_metadata("Run", run_id)
        step(f"Run {run_id} on {kind} {facts.server} (Kubernetes {facts.server_version}, KubeVirt {kubevirt})")
        details("What the cluster is", f"user: {facts.user}\nkubeconfig: {source}\nnodes: {nodes}\n{facts.kubevirt}")
