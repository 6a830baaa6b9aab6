# SPDX-License-Identifier: Apache-2.0
"""Keywords on the cluster: whether it is fit, what it offers, and its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from KubeVirtLibrary import opening
from KubeVirtLibrary.base import SESSION
from KubeVirtLibrary.log import heard
from KubeVirtLibrary.opening import await_removals
from livenad.api.kinds import NAMESPACE, NODE
from livenad.cluster.capabilities import CAPABILITIES
from livenad.errors import BadInput, LabError
from livenad.settings import VARIABLES
from robot.api import SkipExecution

from tests.unit.libraries.conftest import NAME, Call, open_run
from tests.unit.support.fake_api import FakeApi
from tests.unit.support.healthy_cluster import node


@pytest.fixture
def variables(kubeconfig: object, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Robot's variables, to be changed; all others are not set."""
    values: dict[str, Any] = {"KUBECONFIG": str(kubeconfig)}
    monkeypatch.setattr(opening, "variable", values.get)
    assert "KUBECONFIG" in VARIABLES
    return values


def test_first_keyword_opens_what_the_variables_name_and_the_last_ends_it(
    healthy: FakeApi, keywords: Call, variables: dict[str, Any]
) -> None:
    keywords("Cluster Should Be Fit")
    run = open_run()
    assert run.facts.server == healthy.url
    keywords("Cluster Should Be Fit", "kubevirt", "nodes")
    assert open_run() is run
    keywords("Close Cluster")
    assert SESSION.run is None
    assert not healthy.requests("POST", "/api/v1/namespaces")


def test_wrong_variable_is_told_before_anything_is_asked(
    healthy: FakeApi, keywords: Call, variables: dict[str, Any]
) -> None:
    variables["EXPECTED_CAPABILITIES"] = "live-update, teleport"
    with pytest.raises(
        BadInput, match=r'^LAB ERROR: variable EXPECTED_CAPABILITIES names unknown capability "teleport"'
    ):
        keywords("Cluster Should Be Fit")
    assert healthy.seen == []
    assert SESSION.run is None


def test_unfit_cluster_is_refused_with_each_lack(healthy: FakeApi, connect: Callable[..., Call]) -> None:
    healthy.put(NODE.path(), node("n2", ready="False"))
    healthy.answers["GET", "/apis"] = {"groups": []}
    call = connect()
    call("Cluster Should Be Fit", "kubevirt", "rights")
    said = r"cannot run these tests: .*install Multus \(and 1 more\)\n  - .*n2 is not Ready"
    with pytest.raises(LabError, match=said):
        call("Cluster Should Be Fit")


def test_capability_that_is_there_passes_and_one_that_is_not_skips(connect: Callable[..., Call]) -> None:
    call = connect()
    call("Cluster Should Offer", "live-update", "automatic-migration")
    assert call("Get Cluster Capability", "live-update") is True
    assert call("Get Cluster Capability", "localnet") is False
    with pytest.raises(SkipExecution, match="capability localnet is not there: LOCALNET is existing"):
        call("Cluster Should Offer", "live-update", "localnet")


def test_capability_that_the_user_expects_is_a_lab_error(connect: Callable[..., Call]) -> None:
    call = connect(expected_capabilities=("live-update", "localnet", "ipv6"))
    with pytest.raises(LabError) as caught:
        call("Cluster Should Offer")
    assert str(caught.value).count("is expected by variable EXPECTED_CAPABILITIES and is missing") == 1
    assert "localnet" in str(caught.value)
    with pytest.raises(LabError, match="LOCALNET"):
        call("Cluster Should Offer", "localnet")


def test_facts_are_a_dictionary_of_texts_with_every_capability(connect: Callable[..., Call]) -> None:
    facts = connect()("Get Cluster Facts")
    assert set(CAPABILITIES) < set(facts)
    assert all(isinstance(value, str) and value for value in facts.values())


def test_nothing_is_left_of_a_run_that_ends_by_itself(api: FakeApi, web: Call) -> None:
    web("Close Cluster")
    mine = [name for path, name in api.objects if f"/namespaces/{NAME}/" not in path and not path.endswith("/nodes")]
    assert [name for name in mine if name != "kubevirt"] == []
    assert SESSION.run is None


def test_a_namespace_that_goes_slowly_does_not_hold_up_the_report(
    api: FakeApi, web: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its VLANs stay leased, as its guests may still be there; the end of the process waits and gives them back."""
    remove = api.remove
    monkeypatch.setattr("KubeVirtLibrary.opening._AT_THE_REPORT_SECONDS", 0.05)
    monkeypatch.setattr(api, "remove", lambda path, name: None if name == NAME else remove(path, name))
    with heard() as lines:
        web("Close Cluster")
    assert lines[-1] == f"Still being removed, while the report is written: namespace {NAME} is still there"
    assert SESSION.run is None
    assert [name for _, name in api.objects if "br1" in name]
    remove(NAMESPACE.path(), NAME)
    await_removals(SESSION)
    assert SESSION.leaving == []
    assert not [name for path, name in api.objects if "leases" in path and f"/{NAME}/" not in path]


def test_looking_for_orphans_finds_none_and_removes_nothing(api: FakeApi, connect: Callable[..., Call]) -> None:
    assert connect()("Delete Orphaned Resources", dry_run=True, strict=True) == []
    assert not api.requests("DELETE")
