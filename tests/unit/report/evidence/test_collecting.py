# SPDX-License-Identifier: Apache-2.0
"""Evidence ends in time and keeps within its size, whatever its sources do."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.recorder import silent
from livenad.cluster.facts import ClusterFacts
from livenad.context import Run
from livenad.errors import LabError
from livenad.report.evidence import jobs
from livenad.report.evidence import store as stores
from livenad.report.evidence.collecting import collect, run_jobs
from livenad.report.evidence.evidence_page import Failure
from livenad.report.evidence.jobs import Job
from livenad.report.evidence.redaction import Redaction
from livenad.report.evidence.store import Allowance, Store
from livenad.settings import Settings

from tests.unit.support.fake_api import FakeApi


def new_store(folder: Path, allowance: Allowance | None = None) -> Store:
    return Store(folder, Redaction(["hunter2hunter2"]), allowance or Allowance())


def test_a_source_that_hangs_or_fails_costs_nothing_but_itself(tmp_path: Path) -> None:
    release = threading.Event()

    def fails() -> str:
        raise OSError("no route to host")

    def hangs() -> str:
        release.wait(30)
        return "late"

    store = new_store(tmp_path)
    jobs = [Job("hangs", "h", hangs), Job("fails", "f", fails), Job("works", "w", lambda: "said hunter2hunter2")]
    began = time.monotonic()
    done = run_jobs(jobs, store, began + 0.5)
    assert time.monotonic() - began < 5
    assert (done["hangs"].file.size, done["hangs"].file.remark) == (None, "not in time")
    assert (done["fails"].file.size, done["fails"].file.remark) == (None, "no route to host")
    assert (tmp_path / "works").read_text() == "said [removed]"
    store.close()
    release.set()
    late = next((thread for thread in threading.enumerate() if thread.name.startswith("evidence-")), None)
    if late is not None:
        late.join(5)
    assert not (tmp_path / "hangs").exists()


def test_guest_of_a_vm_that_never_ran_is_not_waited_for() -> None:
    read = jobs._guest(Mock(side_effect=AssertionError("the guest was asked")), History(), "web")
    with pytest.raises(LabError, match="VM web does not run: it has no VMI"):
        read()


def test_more_jobs_than_threads_are_all_done(tmp_path: Path) -> None:
    jobs = [Job(f"{number}", "n", lambda: "x") for number in range(40)]
    done = run_jobs(jobs, new_store(tmp_path), time.monotonic() + 20)
    assert sorted(done) == sorted(job.file for job in jobs)
    assert all(one.file.size == 1 for one in done.values())


def test_a_long_file_keeps_its_end_and_the_whole_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FILE_BYTES", 10)
    store = new_store(tmp_path, Allowance(bytes=14))
    assert store.write("one", "0123456789abcdef") == "the last 10 of 16 bytes"
    assert (tmp_path / "one").read_text() == "6789abcdef"
    assert store.write("two", "0123456789") == "the last 4 of 10 bytes"
    assert store.write("three", "x") == "left out: there is no room left"
    assert store.write("four", " \n") == "empty"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]
    assert store.size == 14


def test_evidence_of_a_cluster_that_hangs_ends_in_time_and_says_so(
    api: FakeApi, cluster: Cluster, tmp_path: Path
) -> None:
    facts = ClusterFacts(cluster.connection.server, "v1.36.0", "alice", None, None)
    run = Run(Settings(), cluster, facts, opened_in="", heartbeat=silent)
    api.delay = 20
    allowance = Allowance(seconds=0.5, bytes=100_000)
    began = time.monotonic()
    index = collect(run, Failure("Suite.Test", "Step", "it is gone"), tmp_path / "kept", allowance)
    assert time.monotonic() - began < 10
    page = index.read_text(encoding="utf-8")
    assert page.count("not in time") == 3 and "<h1>it is gone</h1>" in page
    assert allowance.spent
    written = sum(path.stat().st_size for path in index.parent.iterdir())
    assert allowance.bytes == 100_000 - written and written > len(page)


def test_an_allowance_is_spent_by_time_or_by_size() -> None:
    assert not Allowance().spent
    assert Allowance(seconds=0).spent
    assert Allowance(bytes=0).spent
