# SPDX-License-Identifier: Apache-2.0
"""`Open Test Namespace` and what ends with it, on a scripted cluster."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from KubeVirtLibrary.base import SESSION
from livenad.api.kinds import LEASE, NAD, NAMESPACE
from livenad.errors import LabError, TestError

from tests.unit.libraries.conftest import NAME, Call, open_run, open_suite
from tests.unit.support.fake_api import FakeApi, Fault


def removed(api: FakeApi) -> list[list[str]]:
    return [seen.path.rsplit("/", 2)[1:] for seen in api.requests("DELETE")]


def test_namespace_is_created_leased_and_recorded(api: FakeApi, web: Call) -> None:
    assert open_suite().namespace.name == NAME
    assert (NAMESPACE.path(), NAME) in api.objects
    assert any(path == LEASE.path(NAME) for path, _ in api.objects)
    history = open_suite().recorder.history
    assert history.wait(lambda: history.current(NAD, "green"), time.monotonic() + 5)


def test_an_unfit_cluster_is_told_before_anything_is_created(api: FakeApi, connect: Callable[..., Call]) -> None:
    api.answers["GET", "/apis"] = {"groups": []}
    with pytest.raises(LabError, match="install Multus"):
        connect()("Open Test Namespace")
    assert not api.requests("POST", NAMESPACE.path())


def test_second_namespace_is_refused_while_one_is_open(call: Call) -> None:
    with pytest.raises(TestError, match=f"namespace {NAME} is still open; call `Close Test Namespace` first"):
        call("Open Test Namespace")


def test_keyword_without_a_namespace_says_what_to_do(connect: Callable[..., Call]) -> None:
    with pytest.raises(TestError, match=r"^TEST ERROR: no test namespace is open; call `Open Test Namespace` first$"):
        connect()("Define VM", "web")


def test_any_keyword_opens_the_cluster(keywords: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []

    def open_cluster(session: object) -> None:
        opened.append(session)
        raise LabError("no answer")

    monkeypatch.setattr("KubeVirtLibrary.base.open_cluster", open_cluster)
    for keyword, subjects in (("Define VM", ["web"]), ("Record Guest", ["web"]), ("Open Test Namespace", [])):
        with pytest.raises(LabError, match="no answer"):
            keywords(keyword, *subjects)
    assert opened == [SESSION] * 3


def test_closing_opens_nothing(keywords: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("KubeVirtLibrary.base.open_cluster", lambda *_: pytest.fail("opened"))
    keywords("Close Test Namespace")
    keywords("Close Cluster")
    assert SESSION.run is None


def test_closing_removes_vms_first_and_the_namespace_last(api: FakeApi, started: Call) -> None:
    run, suite = open_run(), open_suite()
    closed: list[str] = []
    suite.before_closing(lambda: closed.append("a setting"))
    started("Close Test Namespace")
    assert removed(api) == [
        ["virtualmachines", "web"],
        ["namespaces", NAME],
        ["leases", "kubevirt-nad-tests-suite-r1"],
    ]
    assert closed == ["a setting"]
    assert (run.suite, run.created.entries) == (None, [])
    with pytest.raises(TestError, match="no test namespace is open"):
        started("Define VM", "web")


def test_what_is_in_a_namespace_that_stays_is_removed_piece_by_piece(api: FakeApi, web: Call) -> None:
    api.faults = [Fault("DELETE", NAMESPACE.path(None, NAME), 403)]
    web("Close Test Namespace")
    first, *pieces = removed(api)[:3]
    assert first == ["namespaces", NAME]
    # Both at the same time.
    assert sorted(pieces) == [["network-attachment-definitions", "blue"], ["network-attachment-definitions", "green"]]
    assert [entry.name for entry in open_run().created.entries] == [NAME]


def test_a_hook_that_fails_keeps_nothing_from_being_removed(api: FakeApi, started: Call) -> None:
    def fails() -> None:
        raise RuntimeError("broken")

    open_suite().before_closing(fails)
    started("Close Test Namespace")
    assert removed(api)[:2] == [["virtualmachines", "web"], ["namespaces", NAME]]


def test_additional_namespace_goes_with_the_test_namespace(api: FakeApi, call: Call) -> None:
    assert [call("Create Additional Namespace") for _ in range(2)] == [f"{NAME}-1", f"{NAME}-2"]
    assert (NAMESPACE.path(), f"{NAME}-2") in api.objects
    call("Close Test Namespace")
    assert sorted(name for kind, name in removed(api) if kind == "namespaces") == [NAME, f"{NAME}-1", f"{NAME}-2"]


def test_each_namespace_of_a_run_has_a_name_of_its_own(api: FakeApi, call: Call) -> None:
    call("Close Test Namespace")
    assert call("Open Test Namespace") == "nad-swap-r1-2"
