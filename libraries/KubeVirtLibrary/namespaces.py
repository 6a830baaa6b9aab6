"""Keywords: the test namespace."""

from __future__ import annotations

from livenad.api.kinds import NAMESPACE
from livenad.api.recorder import Recorder
from livenad.cluster.capabilities import require_offer
from livenad.context import Run
from livenad.errors import BadInput, LabError
from livenad.namespaces.closing import close_namespace
from livenad.networks.run_networks import RunNetworks
from livenad.ownership.labels import is_dns_subdomain
from livenad.ownership.naming import Naming
from livenad.virtual_machines.manifests import namespace_manifest
from robot.api.deco import keyword

from KubeVirtLibrary.clusters import ClusterKeywords
from KubeVirtLibrary.reporting import heartbeat, step, suite_metadata, warn
from KubeVirtLibrary.switches import restore_after_dead_runs


class NamespaceKeywords:
    """Everything of a suite lives in a namespace of its own, recorded from its first moment to its last."""

    def __init__(self, clusters: ClusterKeywords) -> None:
        self._clusters = clusters
        self._opened = 0
        self._further = 0

    @keyword(name="Open Test Namespace", tags=["namespace"])
    def open_test_namespace(self, *, exclusive: bool = False) -> str:
        """Creates a namespace for this suite, begins to record everything in it, and returns its name.

        With variable NAMESPACE the suite runs in that one, beside others: names that it gives to VMs, NADs and the like
        get an end of its own on the cluster, and what others have there is neither recorded nor touched.

        When no cluster is open, as in a suite that is run by itself, it is opened and checked first. Suites of several
        runs share a cluster, but an exclusive one: it waits until the others have ended, and they wait for it.

        Args:
        | ``exclusive`` | True for a suite that switches settings of the whole cluster: no other may run beside it. |
        """
        if Run.current_or_none() is None:
            self._clusters.open_cluster()
            self._clusters.cluster_should_be_fit()
        run = Run.current()
        if run.namespace is not None:
            raise LabError(f"namespace {run.namespace} is still open; call `Close Test Namespace` first")
        RunNetworks.of(run, heartbeat).begin_suite(exclusive=exclusive)
        # A run may have died since the cluster was opened: that with the settings may be whom this suite waited for.
        restore_after_dead_runs(run)
        self._opened += 1
        name = run.settings.namespace
        if name:
            run.naming = Naming(f"-{run.run_id}-{self._opened}")
        else:
            name = f"{run.settings.namespace_prefix}-{run.run_id}-{self._opened}"
            run.ledger.create(NAMESPACE, namespace_manifest(name, run.run_id))
            run.namespaces.append(name)
        run.namespace = name
        run.ledger.lease.hold(name, run.naming.suffix)
        run.recorder = Recorder(run.cluster, name, heartbeat, naming=run.naming)
        run.recorder.start()
        suite_metadata("Namespace", name, top=False)
        whose = f"used, with {run.naming.suffix} at the end of each name" if run.naming.suffix else "created"
        step(f"Namespace {name} {whose}; VMs, migrations, launcher pods, NADs and events of this suite are recorded")
        return name

    @keyword(name="Close Test Namespace", tags=["namespace", "cleanup"])
    def close_test_namespace(self) -> None:
        """Asks for the removal of all that this suite created, VMs first; `Close Cluster` waits until it is gone.

        Its VLANs stay leased until its guests have left them, so what comes next meets none of them. What cannot be
        removed is a warning and suite metadata, never a failure. Without an open namespace it does nothing.
        """
        run = Run.current_or_none()
        if run is None or run.namespace is None:
            return
        name = run.namespace
        for error in run.call_close_hooks():
            warn(f"Before namespace {name} goes: {error}")
        left = close_namespace(run, name)
        if left:
            warn(f"Left in namespace {name}: {'; '.join(left)}. Remove it with `Delete Leftovers`.")
            suite_metadata("Leftovers", "; ".join(left), top=False)
        step(f"Namespace {name} closed")

    @keyword(name="Create Further Namespace", tags=["namespace"])
    def create_further_namespace(self) -> str:
        """Creates another namespace beside the open test namespace, for NADs, and returns its name.

        It is removed with the test namespace. What happens in it is not recorded.
        """
        run = Run.current()
        if run.settings.namespace:
            require_offer(run, "foreign-nad")
        self._further += 1
        name = f"{run.require_namespace()}-{self._further}"
        run.ledger.create(NAMESPACE, namespace_manifest(name, run.run_id))
        run.namespaces.append(name)
        step(f"Namespace {name} created")
        return name


def nad_name(network: str) -> str:
    """Name of the NAD of a network of this suite, as VMs name it. Raises BadInput when it is no name of a NAD."""
    require_nad_name(network)
    networks = RunNetworks.known(Run.current())
    return networks.real_name(network) if networks is not None else network


def require_nad_name(name: str) -> None:
    """Raise BadInput unless ``name`` may be that of a NAD, with or without a namespace before a slash."""
    parts = name.split("/")
    if len(parts) > 2 or not all(is_dns_subdomain(part) for part in parts):
        raise BadInput(
            f'network "{name}" is not the name of a NAD; expected lower-case letters, digits, hyphens and dots '
            '(a DNS name), such as "new-network" or "other-namespace/new-network"'
        )
