# SPDX-License-Identifier: Apache-2.0
"""The end of a suite's namespace: its VMs, networks, leases and the namespace itself."""

from __future__ import annotations

from livenad.api.kinds import NAD, NAMESPACE, VM, dig
from livenad.api.status import qualified
from livenad.context import Run
from livenad.errors import LabError
from livenad.ownership.created_resources import Entry
from livenad.ownership.leases import LEASE_NAME


def close_namespace(run: Run) -> list[str]:
    """Delete the open suite's VMs and namespaces, and let other suites begin; returns a line for what remains.

    Waits only for objects that would block the removal of the namespace.
    """
    suite = run.require_suite()
    name = suite.namespace.name
    run.created.remove(lambda entry: entry.kind is VM and entry.namespace == name)
    left = run.networks.leave_networks(suite.recorder)
    suite.recorder.stop()
    # What a busy API server did not accept of all that is asked for once more, or goes with the namespace.
    if run.settings.namespace:
        left += run.created.remove(lambda entry: entry.namespace == name)
        left += _give_back_lease(run, name, suite.namespace.naming.suffix)
    else:
        run.created.lease.release(name)
        left += _remove_namespaces(run, name)
    left += run.created.lease.lost()
    try:
        run.networks.end_suite()
    except LabError as error:
        left.append(f"suites of other runs may be blocked: {error}")
    run.suite = None
    return left


def stranded(run: Run) -> list[str]:
    """A line for each VM that existed before the suite and is on a network that is removed with the suite."""
    suite = run.require_suite()
    going = {f"{entry.namespace}/{entry.name}" for entry in run.created.entries if entry.kind is NAD}
    lines = []
    for record in suite.vms:
        vm = suite.recorder.history.current(VM, record.name) if record.origin == "existing" else None
        for entry in dig(vm, "spec", "template", "spec", "networks", default=[]) or []:
            named = str(dig(entry, "multus", "networkName") or "")
            if named and qualified(named, record.namespace) in going:
                lines.append(
                    f'{record.subject}: NIC "{entry.get("name")}" is on {named}, which is removed with the suite'
                )
    return lines


def _give_back_lease(run: Run, name: str, suffix: str) -> list[str]:
    try:
        run.created.lease.give_back(name, LEASE_NAME + suffix)
    except LabError as error:
        return [f"the lease of this suite remains in {name}: {error}"]
    return []


def _remove_namespaces(run: Run, name: str) -> list[str]:
    """Remove the namespaces with their content; object by object where a namespace cannot be removed."""
    left = run.created.remove(lambda entry: entry.kind is NAMESPACE and _belongs(entry, name))
    remaining = {entry.name for entry in run.created.entries if entry.kind is NAMESPACE}
    content = [entry for entry in run.created.entries if entry.kind is not NAMESPACE and _belongs(entry, name)]
    run.created.forget(lambda entry: entry in content and entry.namespace not in remaining)
    return left + run.created.remove(lambda entry: entry in content)


def _belongs(entry: Entry, namespace: str) -> bool:
    """Whether an object is a test namespace, one of its additional namespaces, or in one of them."""
    place = entry.name if entry.kind is NAMESPACE else entry.namespace or ""
    return place == namespace or place.startswith(f"{namespace}-")
