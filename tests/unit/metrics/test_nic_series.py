# SPDX-License-Identifier: Apache-2.0
"""What is made of monitoring's answers: patience, whose fault it is, and what each message names."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

import pytest
from livenad.api.history import History
from livenad.changes import NetworkChange, network_change
from livenad.errors import LabError, ProductFault
from livenad.metrics import nic_series
from livenad.metrics.judge_series import (
    METRICS,
    Seen,
    judge_new_network,
    judge_old_network_gone,
    judge_others_unchanged,
)
from livenad.metrics.nic_series import (
    MetricsBaseline,
    Poller,
    read_edit_noted,
    read_new_network,
    read_old_network_gone,
    record_baseline,
)
from livenad.metrics.series import POD_NETWORK, VM_METRIC, VMI_METRIC, Labels, Unread, Vnic, vnics
from livenad.model import GuestLogin, Nic, VmRecord

Answer = dict[str, list[dict[str, str]]] | Unread
LOGIN = GuestLogin("tester", "", "", "")
RECORD = VmRecord(
    "web", "demo", LOGIN, [Nic("default", "02:0"), Nic("secondary", "02:1", "old"), Nic("other", "02:2", "o")]
)


def card(nic: str, network: str, binding: str = "bridge") -> dict[str, str]:
    return {"vnic_name": nic, "network": network, "binding_type": "core", "binding_name": binding}


def answer(*networks: str, vm: Iterable[str] | None = None, other: str = "o") -> Answer:
    """What both metrics say: NIC "secondary" has ``networks``; ``vm``: those of the VM's metric where they differ."""
    fixed = [card("default", POD_NETWORK, "masquerade"), card("other", other)]
    return {
        VMI_METRIC: fixed + [card("secondary", network) for network in networks],
        VM_METRIC: fixed + [card("secondary", network) for network in (networks if vm is None else vm)],
    }


OLD, NEW = answer("old"), answer("new")


class Script:
    """A source that gives one answer after the other, the last one for ever. Time passes only in pauses."""

    title = "the script"

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.now = 0.0
        self.pauses: list[float] = []
        self.poller = Poller(self, "web", "demo", lambda _: None, pause=self._pause, clock=lambda: self.now)

    def knows_kubevirt(self) -> bool:
        return True

    def series(self, metric: str, labels: Labels) -> list[dict[str, str]]:
        assert labels == {"namespace": "demo", "name": "web"}
        current = self._answers[0]
        if isinstance(current, Unread):
            raise current
        return current[metric]

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        if len(self._answers) > 1:
            self._answers.pop(0)


def change() -> NetworkChange:
    made = network_change(History(), RECORD, "secondary", "new")
    made.old_network = "old"
    return made


def baseline(script: Script) -> MetricsBaseline:
    assert isinstance(OLD, dict)
    return MetricsBaseline(script, {metric: vnics(OLD[metric]) for metric in METRICS})


def test_right_at_once_needs_no_pause() -> None:
    script = Script(OLD)
    shown = record_baseline(script.poller, RECORD, 100.0).shown
    assert Vnic("secondary", "old", "core", "bridge") in shown[VMI_METRIC]
    assert not script.pauses


def test_pauses_grow_and_end_with_the_deadline() -> None:
    script = Script(answer())
    with pytest.raises(LabError):
        record_baseline(script.poller, RECORD, 100.0)
    assert script.pauses[0] < 1
    assert script.pauses[-2] == 10.0
    assert sum(script.pauses) == pytest.approx(100.0)


@pytest.mark.parametrize("shown", [answer(), answer("old", "new"), answer("new"), answer("old", vm=["new"])])
def test_what_is_wrong_before_the_edit_is_the_labs(shown: Answer) -> None:
    with pytest.raises(LabError) as caught:
        record_baseline(Script(shown).poller, RECORD, 5.0)
    assert "expected the script to show, before the edit, one series for each NIC" in str(caught.value)
    assert '"secondary" on "old"' in str(caught.value)


def new_network(script: Script, metric: str, deadline: float) -> str:
    shown, wanted = read_new_network(script.poller, change(), baseline(script), metric, deadline)
    return judge_new_network(change(), metric, wanted, Seen(shown, script.title, 3.0))


def old_network_gone(script: Script, deadline: float) -> str:
    shown = read_old_network_gone(script.poller, change(), deadline)
    return judge_old_network_gone(change(), Seen(shown, script.title, 3.0))


def others_unchanged(script: Script, deadline: float) -> str:
    shown = read_edit_noted(script.poller, change(), deadline)
    return judge_others_unchanged(change(), baseline(script).shown, Seen(shown, script.title, 3.0))


def test_new_network_is_awaited_and_told() -> None:
    script = Script(OLD, OLD, NEW)
    said = new_network(script, VMI_METRIC, 60.0)
    assert 'shows NIC "secondary" on "new" (core bridge), read from the script' in said
    assert len(script.pauses) == 2


@pytest.mark.parametrize(
    ("shown", "seen"),
    [(OLD, 'shows NIC "secondary" on "old"'), (answer(), 'no series of NIC "secondary"'), (answer("x"), 'on "x"')],
)
def test_new_network_that_never_shows_is_the_products(shown: Answer, seen: str) -> None:
    script = Script(shown)
    with pytest.raises(ProductFault) as caught:
        new_network(script, VMI_METRIC, 5.0)
    message = str(caught.value)
    assert 'expected kubevirt_vmi_vnic_info to show NIC "secondary" on "new" (core bridge)' in message
    assert seen in message


def test_each_metric_is_judged_for_itself() -> None:
    script = Script(answer("new", vm=["old"]))
    new_network(script, VMI_METRIC, 5.0)
    with pytest.raises(ProductFault, match=VM_METRIC):
        new_network(script, VM_METRIC, 5.0)


def test_another_binding_is_not_what_was_expected() -> None:
    changed = answer()
    assert isinstance(changed, dict)
    for metric in METRICS:
        changed[metric].append(card("secondary", "new", "masquerade"))
    script = Script(changed)
    with pytest.raises(ProductFault, match=r"\(core masquerade\)"):
        new_network(script, VMI_METRIC, 5.0)


def test_old_series_may_stay_until_the_next_scrape() -> None:
    script = Script(answer("old", "new"), NEW)
    assert 'no series with "old" is left' in old_network_gone(script, 60.0)


@pytest.mark.parametrize("shown", [answer("old", "new"), answer("new", vm=["new", "old"])])
def test_old_series_that_stays_is_the_products(shown: Answer) -> None:
    with pytest.raises(ProductFault, match=r"expected no series with the old network; .* still shows .* on \"old\""):
        old_network_gone(Script(shown), 5.0)


def test_no_series_at_all_proves_nothing() -> None:
    with pytest.raises(LabError, match="not even of its other NICs"):
        old_network_gone(Script({VMI_METRIC: [], VM_METRIC: []}), 5.0)


def test_source_that_fails_for_a_while_is_asked_again() -> None:
    script = Script(Unread("it answers 503"), NEW)
    new_network(script, VMI_METRIC, 60.0)
    assert script.pauses


def test_source_that_fails_at_the_end_is_the_labs() -> None:
    script = Script(Unread("it answers 503"))
    with pytest.raises(LabError, match="metrics can no longer be read, so nothing can be judged: it answers 503"):
        new_network(script, VMI_METRIC, 5.0)


def test_other_nics_are_compared_once_the_edit_is_noted() -> None:
    script = Script(OLD, NEW)
    assert "other NICs are unchanged" in others_unchanged(script, 60.0)
    assert len(script.pauses) == 1
    changed = Script(OLD, answer("new", other="new"))
    with pytest.raises(ProductFault, match=r'shows .*NIC "other" on "new"'):
        others_unchanged(changed, 60.0)


def test_source_that_falls_silent_costs_its_last_look_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nic_series, "LAST_LOOK_SECONDS", 0.2)
    script, over = Script(OLD), threading.Event()
    monkeypatch.setattr(script, "series", lambda *_: over.wait(20))
    began = time.monotonic()
    with pytest.raises(LabError, match=r"metrics can no longer be read.*the script: silent for 0.2 s"):
        record_baseline(script.poller, RECORD, 0.0)
    assert time.monotonic() - began < 5
    over.set()
