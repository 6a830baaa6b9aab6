# SPDX-License-Identifier: Apache-2.0
"""The first page names what looks wrong; a good swap shows nothing."""

from __future__ import annotations

from livenad.report.evidence.diagnostics import findings_of, guest_findings
from livenad.report.evidence.evidence_page import Failure, File, page

from tests.unit.support.histories import replay


def signs(name: str, until: float = 1e9) -> list[str]:
    history, swap = replay(name, until=until)
    return findings_of(history, [swap], [swap.vm])


def test_a_good_swap_shows_nothing() -> None:
    assert signs("swap-main") == []


def test_an_edit_that_did_not_go_live_says_what_the_vm_asks_for() -> None:
    first, *others = signs("gate-off-1.8.4")
    assert "not complete: no migration object was made" in first
    assert any("vm1: RestartRequired=True" in line and "after the edit" in line for line in others)


def test_an_edit_that_moves_nothing_is_not_called_incomplete() -> None:
    history, swap = replay("gate-off-1.8.4")
    swap.new_network = f"{swap.namespace}/{swap.old_network}"
    assert not [line for line in findings_of(history, [swap], [swap.vm]) if "not complete" in line]


def test_a_failed_migration_is_named_with_its_event() -> None:
    lines = signs("failed-migration-main")
    assert any(line.startswith("migration kubevirt-workload-update-") and line.endswith(" Failed") for line in lines)
    assert any(line.startswith("event on ") and "FailedMigration" in line for line in lines)


def test_another_boot_id_is_a_reboot() -> None:
    outputs = {"web": "== boot id and uptime\nb2\n5.0 9.9\n", "peer": "== boot id and uptime\na1\n", "gone": ""}
    assert guest_findings(outputs, {"web": "b1", "peer": "a1", "gone": "c1"}) == [
        "guest web rebooted: its boot id is b2, it was b1"
    ]


def test_page_escapes_what_it_shows_and_links_only_what_is_there() -> None:
    failure = Failure("Suite.Test", "A Step", "VM <web> is gone\nsecond line")
    files = [File("a.txt", "first", 1200), File("b.txt", "second", None, "403 <Forbidden>")]
    text = page(failure, ["pod <x>"], ["<svg/>"], files, "footer", facts={"Cluster": "https://c", "Run": ""})
    assert "<h1>VM &lt;web&gt; is gone</h1>" in text
    assert "<pre>second line</pre>" in text
    assert "pod &lt;x&gt;" in text and "403 &lt;Forbidden&gt;" in text
    assert '<nav id="back">The product failed a test, unless the message is Robot' in text
    assert "<dt>Cluster</dt><dd>https://c</dd>" in text and "<dt>Run" not in text
    assert text.count("<a href=") == 1 and '<a href="a.txt">' in text
    assert "differs" not in text.partition("</style>")[2]


def test_page_begins_with_what_differs_from_the_record() -> None:
    failure = Failure("Suite.Test", "A Step", "VM web is gone")
    text = page(failure, ["pod x"], [], [], "footer", facts={}, differs=["the VMI's spec.a was <1>, is 2"])
    first = '<h2>What differs from the record</h2>\n<ul id="differs"><li>the VMI&#x27;s spec.a was &lt;1&gt;, is 2</li>'
    assert 0 < text.index(first) < text.index("<h2>What looks wrong</h2>")
