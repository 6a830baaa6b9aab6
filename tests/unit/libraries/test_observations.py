"""An observation that a test tells later says what was seen, and whose fault it was, in the namespace of its suite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from KubeVirtLibrary import observations
from KubeVirtLibrary.observations import ObservationKeywords
from livenad.api.client import Cluster
from livenad.context import Run
from livenad.errors import BadInput, LabError, ProductFault
from livenad.ownership.created_resources import Ledger
from livenad.settings import Settings


class Robot:
    """Stands in for Robot's BuiltIn: runs nothing and gives the outcome that its argument names."""

    def run_keyword_and_ignore_error(self, name: str, *arguments: object) -> tuple[str, object]:
        return {"Holds": ("PASS", None), "Fails": ("FAIL", arguments[0] if arguments else "")}[name]


@pytest.fixture
def run(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setattr(observations, "BuiltIn", Robot)
    current = Run(Settings(), cluster, Ledger(cluster, "r1"), "r1")
    current.namespace = "demo"
    current.make_current()
    yield current
    current.forget()


@pytest.fixture
def keywords(run: Run) -> ObservationKeywords:
    return ObservationKeywords()


def test_what_held_when_it_was_observed_holds(keywords: ObservationKeywords) -> None:
    keywords.observe("silence", "Holds")
    keywords.observation_should_hold("silence")


def test_observing_a_failure_fails_nothing_until_a_test_tells_it(keywords: ObservationKeywords) -> None:
    keywords.observe("silence", "Fails", "VM demo/web should be silent")
    with pytest.raises(ProductFault, match="VM demo/web should be silent"):
        keywords.observation_should_hold("silence")


def test_fault_of_the_lab_stays_one(keywords: ObservationKeywords) -> None:
    keywords.observe("silence", "Fails", "LAB ERROR: the peer is dead")
    with pytest.raises(LabError, match=r"^LAB ERROR: the peer is dead$"):
        keywords.observation_should_hold("silence")


def test_observation_without_a_message_does_not_pass(keywords: ObservationKeywords) -> None:
    keywords.observe("silence", "Fails", "")
    with pytest.raises(ProductFault):
        keywords.observation_should_hold("silence")


def test_observation_of_another_suite_is_not_told(keywords: ObservationKeywords, run: Run) -> None:
    keywords.observe("silence", "Holds")
    run.namespace = "another"
    with pytest.raises(BadInput, match='"silence" was not observed in this suite'):
        keywords.observation_should_hold("silence")
