# SPDX-License-Identifier: Apache-2.0
"""Opening and closing the cluster of a run. Any keyword that needs a cluster opens it; the listener closes it."""

from __future__ import annotations

import re

from livenad.cluster.capabilities import check_names
from livenad.cluster.facts import ClusterFacts, KubeVirtFacts
from livenad.cluster_settings.switching import as_before
from livenad.context import Run, Session, SuiteContext
from livenad.errors import LabError
from livenad.settings import VARIABLES, Settings
from livenad.stop_signals import GUARD
from robot.utils import timestr_to_secs

from KubeVirtLibrary.log import (
    details,
    heartbeat,
    log_connectivity,
    output_folder,
    step,
    suite_metadata,
    suite_name,
    variable,
    warn,
)

_FIRST_CONTACT_SECONDS = 5.0
_REMOVAL_SECONDS = 120.0
_REMOVAL_SECONDS_A_VM = 1.0
_AT_THE_REPORT_SECONDS = 5.0
"""For how long the report waits for namespaces that are being removed; the process waits for the rest."""

_LEFT = "Left on the cluster: "
_REMEDY = ". Remove it with `Delete Orphaned Resources`."


def open_cluster(session: Session, *, restore: bool = True) -> Run:
    """Read all variables, connect to the API server and begin a run. Creates nothing.

    What an aborted run changed in the settings of the cluster is restored if ``restore`` is true. Raises BadInput
    for a wrong variable or kubeconfig, LabError when the API server does not answer.
    """
    GUARD.install()
    settings = Settings.from_variables({name: variable(name) for name in VARIABLES}, timestr_to_secs)
    check_names(settings.expected_capabilities, "variable EXPECTED_CAPABILITIES")
    from livenad.api.client import Cluster  # noqa: PLC0415 - slow to import, and a dry run does without
    from livenad.api.connection import open_connection  # noqa: PLC0415
    from livenad.cluster.facts import read_facts, read_version  # noqa: PLC0415

    connection = open_connection(settings.kubeconfig, settings.context, verify=settings.verify_tls)
    if connection.unverified:
        warn(f"The certificate of {connection.server} is not verified: {connection.unverified}")
    cluster = Cluster(connection, patience=_FIRST_CONTACT_SECONDS)
    facts = read_facts(cluster, read_version(cluster), settings.kubevirt_version)
    cluster.patience = Cluster.PATIENCE
    run = Run(settings, cluster, facts, opened_in=suite_name(), heartbeat=heartbeat)
    session.run = run
    _show(facts, run.run_id, connection.source)
    restore_settings_of_aborted_runs(run, dry_run=not restore, reading=False)
    return run


def restore_settings_of_aborted_runs(run: Run, *, dry_run: bool = False, reading: bool = True) -> None:
    """Restore what an aborted run changed; if an active run has changed settings, use the values from before.

    Without ``reading``, the facts of the run are new enough to tell whether there is anything.
    """
    from livenad.cluster.facts import read_kubevirt  # noqa: PLC0415

    try:
        note = run.cluster_settings.foreign_backup(read_kubevirt(run.cluster) if reading else run.facts.kubevirt)
        if note is None:
            return
        for line in run.cluster_settings.restore_of_aborted_runs(dry_run=dry_run):
            warn(f"{'Would restore' if dry_run else 'Restored'}: {line}")
        run.facts = as_before(run.facts, note)
    except LabError as error:
        warn(f"Cluster settings that another run changed could not be restored: {error}")


def close_suite(run: Run) -> None:
    """End the open suite: sessions in guests, settings of the cluster, and the removal of what it created.

    What cannot be removed is a warning and suite metadata, never a failure.
    """
    from livenad.namespaces.closing import close_namespace, stranded  # noqa: PLC0415

    suite = run.suite
    if suite is None:
        return
    name = suite.namespace.name
    try:
        log_connectivity(suite)
    except Exception as error:  # a chart that cannot be drawn must not keep the namespace open
        warn(f"No chart of connectivity: {error}")
    try:
        _save_verdicts(run, suite)
    except Exception as error:  # evidence is a help, never a reason to fail
        warn(f"The verdicts of this suite were not saved: {type(error).__name__}: {error}")
    for failure in suite.end():
        warn(f"Before namespace {name} goes: {failure}")
    if dropped := suite.recorder.history.dropped:
        warn(f"Record of namespace {name}: {dropped}")
    for line in stranded(run):
        warn(f"{line}: put it on another network with `Change VM Network` before the suite ends")
    left = close_namespace(run)
    if left:
        warn(f"Left in namespace {name}: {'; '.join(left)}. Remove it with `Delete Orphaned Resources`.")
        suite_metadata("OrphanedResources", "; ".join(left), top=False)
    step(f"Namespace {name} closed")


def _save_verdicts(run: Run, suite: SuiteContext) -> None:
    """What makes the verdicts of the suite again, into the evidence of the run."""
    from livenad.report.evidence.collecting import save_verdicts  # noqa: PLC0415

    words = re.sub(r"[^a-z0-9]+", "-", suite.opened_in.rpartition(".")[2].lower()).strip("-")
    folder = output_folder() / "evidence" / f"{run.run_id}-{run.suites_opened}-{words or 'suite'}"
    if suite.verdicts.all() and (remark := save_verdicts(run, suite, folder)):
        warn(remark)


def close_cluster(session: Session) -> None:
    """Remove what the run still has on the cluster, and end the run.

    What takes longer to go than a report should wait for is waited for by `await_removals`, which also gives back the
    leases: until then the guests may be there.
    """
    run = session.run
    if run is None:
        return
    try:
        close_suite(run)
        left = run.created.remove()
        going = _await_gone(run, _AT_THE_REPORT_SECONDS, times=1)
        if going:
            session.leaving.append(run)
            step(f"Still being removed, while the report is written: {'; '.join(going)}")
        if left := left + ([] if going else _give_back(run)):
            warn(f"{_LEFT}{'; '.join(left)}{_REMEDY}")
            suite_metadata("OrphanedResources", "; ".join(left))
    finally:
        session.run = None
        if run not in session.leaving:
            _end(run)


def await_removals(session: Session) -> None:
    """Wait for what `close_cluster` left to the end of the process; what remains is told on the console."""
    from livenad.ownership.removal import LONGEST  # noqa: PLC0415

    while session.leaving:
        run = session.leaving.pop()
        try:
            within = _REMOVAL_SECONDS + run.created.vms * _REMOVAL_SECONDS_A_VM
            if left := _await_gone(run, within, times=LONGEST) + _give_back(run):
                warn(f"{_LEFT}{'; '.join(left)}{_REMEDY}")
        except LabError as error:
            warn(f"The cluster could not be left clean: {error}")
        finally:
            _end(run)


def close_at_exit(session: Session) -> None:
    """Close at the end of the process what no suite closed, and wait for what is being removed."""
    close_quietly(session)
    await_removals(session)


def close_quietly(session: Session) -> None:
    """Close at the end of a suite whose teardown did not."""
    try:
        close_cluster(session)
    except LabError as error:
        warn(f"The cluster could not be left clean: {error}")


def _await_gone(run: Run, within: float, *, times: int) -> list[str]:
    from livenad.ownership.removal import await_gone, await_no_guests  # noqa: PLC0415

    left = await_gone(run.cluster, run.namespaces, within, heartbeat, times=times)
    if run.settings.namespace:
        left += await_no_guests(run.cluster, run.settings.namespace, run.run_id, within, heartbeat, times=times)
    return left


def _give_back(run: Run) -> list[str]:
    return (run.networks.close() if run.networks.used else []) + run.created.lease.lost()


def _end(run: Run) -> None:
    run.created.lease.stop()
    run.cluster.close()


def _show(facts: ClusterFacts, run_id: str, source: str) -> None:
    kubevirt = facts.kubevirt.version_text if facts.kubevirt else "not installed"
    kind = "embedded cluster" if facts.embedded else "cluster"
    nodes = ", ".join(facts.nodes.names) if facts.nodes else "may not be listed"
    suite_metadata("Cluster", f"{kind} {facts.server}, Kubernetes {facts.server_version}")
    suite_metadata("KubeVirt", kubevirt)
    suite_metadata("Nodes", nodes)
    suite_metadata("Run", run_id)
    step(f"Run {run_id} on {kind} {facts.server} (Kubernetes {facts.server_version}, KubeVirt {kubevirt})")
    rows = {"User": facts.user, "Kubeconfig": source, "Nodes": nodes, **_kubevirt_rows(facts.kubevirt)}
    details("Facts about the cluster", "\n".join(f"{name}: {value}" for name, value in rows.items()))


def _kubevirt_rows(kubevirt: KubeVirtFacts | None) -> dict[str, str]:
    if kubevirt is None:
        return {"KubeVirt": "not installed"}
    gates = kubevirt.feature_gates
    return {
        "KubeVirt": f"{kubevirt.title}, version {kubevirt.version_text}, phase {kubevirt.phase or 'unknown'}",
        "Feature gates": "unknown" if gates is None else ", ".join(sorted(gates)) or "none",
        "Workload update methods": kubevirt.methods_text,
        "VM rollout strategy": kubevirt.rollout_strategy or "not set",
        "Live update of networks": kubevirt.live_update_gate[1],
    }
