# SPDX-License-Identifier: Apache-2.0
"""The timeline of recorded swaps: what is on it, what it says in words, and that its SVG stands alone."""

from __future__ import annotations

import re
import time
from xml.etree import ElementTree as ET

import pytest
from livenad.api.kinds import VM
from livenad.report.timeline import Lane, Timeline, text_of, timeline_of
from livenad.report.timeline_svg import timeline_svg
from livenad.text import human

from tests.unit.support.histories import EDITED, Event, insert, replay

SVG = "{http://www.w3.org/2000/svg}"


def drawn(name: str, within: float | None = 60.0, restart: bool = False) -> Timeline:
    history, swap = replay(name, restart_blinks if restart else None)
    return timeline_of(history, swap, time.monotonic(), within)


def restart_blinks(recorded: list[Event]) -> list[Event]:
    """RestartRequired for half a second, one second after the edit of swap-main."""

    def alter(event: Event) -> None:
        event["status"]["conditions"].append({"type": "RestartRequired", "status": "True"})

    at = EDITED["swap-main"] + 1
    changed = insert(recorded, at, VM.name, alter)
    return insert(changed, at + 0.5, VM.name, lambda event: event["status"]["conditions"].pop())


def lane(timeline: Timeline, start: str) -> Lane:
    return next(lane for lane in timeline.lanes if lane.name.startswith(start))


def test_swap_has_every_step_with_its_time() -> None:
    timeline = drawn("swap-main")
    migration = lane(timeline, "migration kubevirt-workload-update-")
    phases = [span.label for span in migration.spans if span.label != "new"]
    assert phases == ["Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running", "Succeeded"]
    assert [span.label for span in lane(timeline, "node").spans] == ["node1", "node2"]
    assert [mark.label for mark in lane(timeline, "· its nodes").marks] == ["from node1 to node2"]
    assert [span.label for span in lane(timeline, "VMI spec names").spans] == ["nad-a", "nad-b"]
    (required,) = lane(timeline, "MigrationRequired").spans
    assert 12 < required.end - required.start < 13
    attached = [one.spans for one in timeline.lanes if one.name.startswith("· network-status names")]
    assert [[span.label for span in spans] for spans in attached] == [["nad-a"], ["nad-b"]]
    note = lane(timeline, "· its phases").note
    assert note.startswith("Pending ") and note.endswith(
        f"Running {human(migration.spans[-2].end - migration.spans[-2].start)}"
    )
    assert len([lane for lane in timeline.lanes if lane.name.startswith("pod ")]) == 2
    assert timeline.complete is not None and 13 < timeline.complete < 15
    assert timeline.outcome == "complete 14 s after the edit (deadline 1 min 0 s)"
    assert not [lane for lane in timeline.lanes if lane.name == "RestartRequired"]


def test_condition_that_blinked_is_on_it() -> None:
    (span,) = lane(drawn("swap-main", restart=True), "RestartRequired").spans
    assert (round(span.start, 1), round(span.end, 1)) == (1.0, 1.5)


def test_what_came_before_the_edit_is_cut_off() -> None:
    timeline = drawn("edit-of-starting-vm-main")
    spans = [span for one in timeline.lanes for span in one.spans]
    assert min(span.start for span in spans) >= timeline.start
    assert max(span.end for span in spans) <= timeline.end


def test_failed_migration_shows_its_second_try_and_why() -> None:
    timeline = drawn("failed-migration-main")
    assert [lane.name[:10] for lane in timeline.lanes].count("migration ") == 2
    assert "failed" in lane(timeline, "event FailedMigration").marks[0].label
    assert timeline.outcome.startswith("not complete")


def test_words_are_in_order_and_end_with_the_outcome() -> None:
    lines = text_of(drawn("swap-main"))
    times = [float(line[1:9]) for line in lines[:-1]]
    assert times == sorted(times)
    assert any(line.endswith("node: node2 (until now)") for line in lines)
    assert any(re.search(r"VMI spec names nad-a \(since before the edit, until \+0\.\d\d s\)$", line) for line in lines)
    assert any(re.search(r"migration kubevirt-\S+: from node1 to node2$", line) for line in lines)
    assert any(re.search(r"pod virt-launcher-\S+: network-status names nad-b \(", line) for line in lines)
    assert lines[-1].startswith("= complete")


@pytest.mark.parametrize("name", EDITED)
def test_svg_stands_alone_and_names_itself(name: str) -> None:
    timeline = drawn(name)
    root = ET.fromstring(timeline_svg(timeline))  # noqa: S314 (our own text)
    label = root.attrib["aria-labelledby"].split()
    named = {element.attrib["id"]: element.text or "" for element in root if "id" in element.attrib}
    assert timeline.title in named[label[0]]
    assert timeline.outcome in named[label[1]]
    assert not [element.tag for element in root.iter() if element.tag in {f"{SVG}script", f"{SVG}style", f"{SVG}image"}]
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on") or "href" in key]
    shown = "".join(root.itertext())
    assert all(one.name[-8:] in shown for one in timeline.lanes)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for rect in root.iter(f"{SVG}rect"):
        assert 0 <= float(rect.attrib["x"]) <= float(rect.attrib["x"]) + float(rect.attrib["width"]) <= width
        assert float(rect.attrib["y"]) + float(rect.attrib["height"]) <= height


def test_deadline_is_drawn_where_it_passed() -> None:
    assert "deadline 10 s" in timeline_svg(drawn("swap-main", within=10.0))
