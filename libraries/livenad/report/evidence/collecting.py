# SPDX-License-Identifier: Apache-2.0
"""Collects evidence: all jobs run in parallel threads, and are awaited until the deadline."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from livenad.changes import NetworkChange
from livenad.context import Run, SuiteContext
from livenad.errors import LAB_ERROR_PREFIX, LabError, TestError
from livenad.invariants.judge_api import compare_api
from livenad.invariants.record import edits_since
from livenad.rejudge.saving import FILE as VERDICTS
from livenad.rejudge.saving import save
from livenad.report.chart_html import chart_html
from livenad.report.connectivity import connectivity_of
from livenad.report.connectivity_svg import connectivity_svg, words_of
from livenad.report.evidence.diagnostics import findings_of, guest_findings, wire_findings
from livenad.report.evidence.evidence_page import Failure, File, page
from livenad.report.evidence.jobs import Job, jobs_of
from livenad.report.evidence.redaction import Redaction
from livenad.report.evidence.store import Allowance, Store
from livenad.report.timeline import text_of, timeline_of
from livenad.report.timeline_svg import timeline_svg
from livenad.text import human

THREADS = 6
_FIRST = 8
INDEX = "index.html"


@dataclass(frozen=True)
class Collected:
    """The result of one job."""

    file: File
    text: str = ""


def collect(run: Run, failure: Failure, folder: Path, allowance: Allowance) -> Path:
    """Create and fill ``folder`` and return its first page; time and size are taken from ``allowance``."""
    began = time.monotonic()
    folder.mkdir(parents=True)
    store = Store(folder, Redaction(secrets_of(run)), allowance)
    jobs = list(jobs_of(run, store))
    done = run_jobs(jobs, store, began + allowance.seconds)
    charts, drawn_findings = _charts(run)
    store.close()
    took = time.monotonic() - began
    allowance.seconds -= took
    names = [record.name for record in run.suite.vms] if run.suite else []
    outputs = {name: done[f"guest-{name}.txt"].text for name in names if f"guest-{name}.txt" in done}
    findings = guest_findings(outputs, _boot_ids(run)) + _unreachable(done)
    findings = drawn_findings + findings
    files = [done[job.file].file for job in jobs]
    if run.suite is not None:
        files.append(_verdicts(run, run.suite, folder))
    footer = f"Collected in {human(took)}, {store.size / 1e6:.1f} MB. Credentials are removed."
    differs = _differs(run)
    text = store.redaction.text(page(failure, findings, charts, files, footer, facts=_facts(run), differs=differs))
    index = folder / INDEX
    allowance.bytes -= index.write_bytes(text.encode())
    return index


def _differs(run: Run) -> list[str]:
    """What the API shows of the VMs of `Record Guest` and must not differ from the record, the first of each."""
    suite = run.suite
    if suite is None:
        return []
    found: list[str] = []
    for record in (one for one in suite.vms if one.name in suite.records):
        index, at = suite.records[record.name].index, suite.records[record.name].at
        try:
            edits = edits_since(suite.changes, record.name, index)
            compared = compare_api(suite.recorder.history, record.name, index, at, edits)
        except (LabError, TestError):
            continue  # it was not recorded while it ran, or was changed in another way since
        found += [f"{record.subject}: {one}" for one in compared.findings[:_FIRST]]
    return found


def _facts(run: Run) -> dict[str, str]:
    """Where and when it happened."""
    facts = run.facts
    kind = "embedded cluster, not a real one: " if facts.embedded else ""
    return {
        "Cluster": f"{kind}{facts.server}, Kubernetes {facts.server_version}",
        "KubeVirt": facts.kubevirt.version_text if facts.kubevirt else "not installed",
        "When": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "Run": run.run_id,
    }


def _charts(run: Run) -> tuple[list[str], list[str]]:
    """The charts of the last changes as HTML, and diagnostics of the cluster and of connectivity."""
    suite = run.suite
    if suite is None:
        return [], []
    history, changes = suite.recorder.history, _last_edits(suite)
    charts, wire = [], []
    for change in changes:
        drawn = timeline_of(history, change, time.monotonic(), run.settings.swap_timeout)
        charts.append(chart_html(timeline_svg(drawn), "The timeline in words", text_of(drawn)))
        probed = connectivity_of(change, suite.measurements.measured, drawn)
        if probed is not None:
            charts.append(chart_html(connectivity_svg(probed), "The probes in words", words_of(probed)))
            wire += wire_findings(probed)
    return charts, findings_of(history, changes, {record.name: record for record in suite.vms}) + wire


def save_verdicts(run: Run, suite: SuiteContext, folder: Path) -> str:
    """What makes the verdicts of a suite again, into a folder; returns a remark when it is not all."""
    kubevirt = run.facts.kubevirt.version_text if run.facts.kubevirt else "not installed"
    made = {
        "run": run.run_id,
        "suite": suite.opened_in,
        "kubernetes": run.facts.server_version,
        "kubevirt": kubevirt,
        "embedded cluster": str(run.facts.embedded),
    }
    redaction = Redaction(secrets_of(run))
    return save(folder / VERDICTS, suite.recorder.history, suite.verdicts, redaction.text, made)


def _verdicts(run: Run, suite: SuiteContext, folder: Path) -> File:
    title = "the data of every check of this suite until now; `python -m livenad rejudge FOLDER` judges them again"
    try:
        remark = save_verdicts(run, suite, folder)
        return File(VERDICTS, title, (folder / VERDICTS).stat().st_size, remark)
    except Exception as error:  # shown on the page, as of any other file
        return File(VERDICTS, title, None, str(error))


def secrets_of(run: Run) -> list[str]:
    """All credentials of this run: of its guests, and for the API server."""
    logins = [record.login for record in run.suite.vms] if run.suite else []
    found = [value for login in logins for value in (login.password, login.private_key)]
    found.append(run.cluster.connection.headers().get("Authorization", "").removeprefix("Bearer "))
    return found


def run_jobs(jobs: Sequence[Job], store: Store, deadline: float) -> Mapping[str, Collected]:
    """The result of each job at ``deadline`` (monotonic clock), by file name."""
    waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
    results: queue.SimpleQueue[Collected] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def work() -> None:
        while time.monotonic() < deadline:
            try:
                job = waiting.get_nowait()
            except queue.Empty:
                return
            results.put(_done(job, store))

    for number in range(min(THREADS, len(jobs))):
        threading.Thread(target=work, name=f"evidence-{number}", daemon=True).start()
    found: dict[str, Collected] = {}
    while len(found) < len(jobs):
        try:
            collected = results.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        found[collected.file.name] = collected
    missing = (job for job in jobs if job.file not in found)
    return found | {job.file: Collected(File(job.file, job.title, None, "not in time")) for job in missing}


def _done(job: Job, store: Store) -> Collected:
    try:
        text = job.read()
        remark = store.write(job.file, text)
        path = store.folder / job.file
        return Collected(File(job.file, job.title, path.stat().st_size if path.exists() else None, remark), text)
    except Exception as error:  # every error is shown on the page, and never fails the test
        return Collected(File(job.file, job.title, None, str(error).removeprefix(LAB_ERROR_PREFIX)))


def _unreachable(done: Mapping[str, Collected]) -> list[str]:
    return [
        f"{one.file.title.partition(':')[0]} gave no answer: {one.file.remark}"
        for name, one in done.items()
        if name.startswith("guest-") and one.file.size is None
    ]


def _last_edits(suite: SuiteContext) -> list[NetworkChange]:
    """The last network change of each VM, with all NICs of the same edit."""
    found: list[NetworkChange] = []
    for record in suite.vms:
        edits = [one for one in suite.changes.of(NetworkChange, record.name) if one.vm_state != "stopped"]
        if edits:
            found += edits[-len(edits[-1].with_nics or "1") :]
    return found


def _boot_ids(run: Run) -> dict[str, str]:
    return run.suite.recorded_guests.boot_ids() if run.suite else {}
