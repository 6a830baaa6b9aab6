"""The end of a suite's namespace: by `Close Test Namespace`, or by `Close Cluster` when that was not called."""

from __future__ import annotations

from livenad.api.kinds import NAMESPACE, VM
from livenad.context import Run
from livenad.errors import LabError
from livenad.networks.run_networks import RunNetworks
from livenad.ownership.created_resources import Entry
from livenad.ownership.leases import LEASE_NAME
from livenad.ownership.naming import Naming


def close_namespace(run: Run, name: str) -> list[str]:
    """Ask for the removal of a suite's VMs and namespaces, and let other suites begin; a line for what stays.

    Waits for nothing but what would keep the namespace from going.
    """
    networks = RunNetworks.known(run)
    left = run.ledger.remove(lambda entry: entry.kind is VM and entry.namespace == name)
    if networks is not None:
        left += networks.leave_networks(run.recorder)
    if run.recorder is not None:
        run.recorder.stop()
    if run.settings.namespace:
        left += run.ledger.remove(lambda entry: entry.namespace == name)
        left += _give_back_lease(run, name)
    else:
        run.ledger.lease.release(name)
        left += _remove_namespaces(run, name)
    left += run.ledger.lease.lost()
    if networks is not None:
        try:
            networks.end_suite()
        except LabError as error:
            left.append(f"suites of other runs may have to wait: {error}")
    run.namespace, run.recorder, run.naming = None, None, Naming()
    run.vms.clear()
    run.swaps.clear()
    return left


def _give_back_lease(run: Run, name: str) -> list[str]:
    try:
        run.ledger.lease.give_back(name, LEASE_NAME + run.naming.suffix)
    except LabError as error:
        return [f"the lease of this suite stays in {name}: {error}"]
    return []


def _remove_namespaces(run: Run, name: str) -> list[str]:
    """The namespaces, with which goes what is in them; piece by piece where a namespace may not be removed."""
    left = run.ledger.remove(lambda entry: entry.kind is NAMESPACE and _belongs(entry, name))
    staying = {entry.name for entry in run.ledger.entries if entry.kind is NAMESPACE}
    content = [entry for entry in run.ledger.entries if entry.kind is not NAMESPACE and _belongs(entry, name)]
    run.ledger.forget(lambda entry: entry in content and entry.namespace not in staying)
    return left + run.ledger.remove(lambda entry: entry in content)


def _belongs(entry: Entry, namespace: str) -> bool:
    """Whether an object is a test namespace, one of its further namespaces, or in one of them."""
    place = entry.name if entry.kind is NAMESPACE else entry.namespace or ""
    return place == namespace or place.startswith(f"{namespace}-")
