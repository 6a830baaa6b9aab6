# SPDX-License-Identifier: Apache-2.0
"""How keywords judge: on a list of the cluster, and never a fault on an old one."""

from __future__ import annotations

from typing import Any

import pytest
from KubeVirtLibrary.base import SESSION, KeywordComponent
from KubeVirtLibrary.log import heard
from livenad.api.history import History
from livenad.errors import ProductFault

from tests.unit.support.open_suite import open_replay


class Reader:
    """A recorder that notes how it was asked to read the cluster."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.read: list[bool] = []

    def catch_up(self, *, unless_fresh: bool = False) -> int:
        self.read.append(unless_fresh)
        return 0


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.setattr(SESSION, "run", None)
    suite: Any = open_replay("swap-main")
    suite.recorder = Reader(suite.recorder.history)
    return suite.recorder  # type: ignore[no-any-return]


def test_a_pass_may_stand_on_the_list_of_the_verdict_before(reader: Reader) -> None:
    with heard() as lines:
        KeywordComponent(SESSION).judge(lambda _: "well")
    assert (lines, reader.read) == (["well"], [True])


def test_a_fault_that_a_new_list_shows_to_be_none_is_not_told(reader: Reader) -> None:
    def verdict(_: History) -> str:
        if reader.read == [True]:
            raise ProductFault("it is not there")
        return "it came"

    with heard() as lines:
        KeywordComponent(SESSION).judge(verdict)
    assert (lines, reader.read) == (["it came"], [True, False])


def test_a_fault_that_a_new_list_shows_as_well_is_told_once(reader: Reader) -> None:
    def verdict(_: History) -> str:
        raise ProductFault("it is not there")

    with pytest.raises(ProductFault, match="it is not there"), heard() as lines:
        KeywordComponent(SESSION).judge(verdict)
    assert (lines, reader.read) == ([], [True, False])
