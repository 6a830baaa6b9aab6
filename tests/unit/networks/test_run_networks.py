# SPDX-License-Identifier: Apache-2.0
"""The networks of a suite by the names that it gives them, and what is said of one that there is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from KubeVirtLibrary.base import KeywordComponent
from livenad.api.client import Cluster
from livenad.api.history import MODIFIED
from livenad.api.kinds import NAD
from livenad.errors import TestError
from livenad.networks.attachment import Place

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.opened import opened


@pytest.fixture
def component(healthy: FakeApi, cluster: Cluster) -> Iterator[KeywordComponent]:
    """Keywords of a suite in namespace demo."""
    session = opened(cluster)
    assert session.run is not None
    yield KeywordComponent(session)
    session.run.created.lease.stop()


def nad(name: str, namespace: str = "demo") -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": namespace}}


def test_network_that_the_suite_made_is_known_without_asking(healthy: FakeApi, component: KeywordComponent) -> None:
    component.run.networks.create("blue", Place.bridge, "", "demo")
    component.run.networks.create("blue", Place.bridge, "blue", "other")
    asked = len(healthy.seen)
    assert component.run.networks.made_here() == ["blue", "other/blue"]
    assert component.network("blue") == "blue"
    assert component.network("demo/blue") == "demo/blue"
    assert component.network("other/blue") == "other/blue"
    assert len(healthy.seen) == asked


@pytest.mark.parametrize(
    ("name", "title"), [("old-netwrok", "demo/old-netwrok"), ("elsewhere/green", "elsewhere/green")]
)
def test_unknown_network_is_told_with_those_of_the_suite(component: KeywordComponent, name: str, title: str) -> None:
    with pytest.raises(TestError, match=rf"^TEST ERROR: network \"{name}\" .* no NAD {title}; .* suite: none"):
        component.network(name)
    component.run.networks.create("blue", Place.bridge, "", "demo")
    component.run.networks.create("green", Place.bridge, "", "demo")
    with pytest.raises(TestError, match='networks of this suite: "blue", "green"'):
        component.network(name)


def test_network_that_is_not_there_yet_may_be_named_where_the_suite_says_so(component: KeywordComponent) -> None:
    assert component.network("later", must_exist=False) == "later"


def test_network_that_somebody_else_made_is_found_on_the_cluster(healthy: FakeApi, component: KeywordComponent) -> None:
    healthy.put(NAD.path("demo"), nad("by-hand"))
    healthy.put(NAD.path("other"), nad("far", "other"))
    assert component.network("by-hand") == "by-hand"
    assert component.network("other/far") == "other/far"
    component.history.append(NAD, MODIFIED, {"metadata": {"name": "seen", "uid": "u", "resourceVersion": "9"}})
    assert component.network("seen") == "seen"


def test_network_that_may_not_be_read_is_left_to_the_cluster(healthy: FakeApi, component: KeywordComponent) -> None:
    healthy.forbidden.add(("GET", NAD.path("other")))
    assert component.network("other/far") == "other/far"


@pytest.mark.parametrize("name", ["Blue", "a/b/c", "blue_green", ""])
def test_name_that_no_nad_can_have_is_an_error_of_the_suite(component: KeywordComponent, name: str) -> None:
    with pytest.raises(TestError, match=f'network "{name}" is not the name of a NAD'):
        component.network(name, must_exist=False)


def test_in_a_shared_namespace_networks_have_names_of_their_own(healthy: FakeApi, cluster: Cluster) -> None:
    session = opened(cluster, "-r1-1")
    component, run = KeywordComponent(session), session.run
    assert run is not None
    run.networks.create("blue", Place.bridge, "", "demo")
    run.created.lease.stop()
    assert (NAD.path("demo"), "blue-r1-1") in healthy.objects
    assert component.network("blue") == "blue-r1-1"
    assert component.network("demo/blue") == "demo/blue-r1-1"
    assert run.networks.made_here() == ["blue"]
    healthy.put(NAD.path("demo"), nad("green"))
    assert component.network("green") == "green", "one that was there before the suite keeps its name"
    assert component.network("demo/green") == "demo/green"
    with pytest.raises(TestError, match="there is no NAD demo/red-r1-1"):
        component.network("red")


def test_network_is_told_in_words(component: KeywordComponent) -> None:
    component.run.networks.create("blue", Place.bridge, "", "demo")
    assert component.run.networks.told("blue") == component.run.networks.told("demo/blue")
    assert component.run.networks.told("blue").startswith("bridge br1, VLAN 1")
    assert component.run.networks.told("by-hand") == ""
    component.run.networks.create("blue", Place.bridge, "", "other")
    assert component.run.networks.told("other/blue") != component.run.networks.told("blue")
