# SPDX-License-Identifier: Apache-2.0
"""Defects by chance on the evidence of a good run: what is drawn, what is noticed, and that noise is no alarm."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.detection import deviations, noise
from tests.detection.chance import tried, try_noise, untouched
from tests.detection.deviations import Deviation, draw
from tests.detection.outcomes import GREEN, LEFT_OUT, MOST_EXCLUDED, NO_EFFECT, NOTICED, UNNOTICED, is_left_out

VMI = "VirtualMachineInstance"
NIC = ("status", "interfaces", "[secondary]")


def test_the_run_itself_is_green() -> None:
    assert [str(one.now) for one in untouched() if one.now.status != "PASS"] == []


@pytest.mark.parametrize(
    ("part", "path", "how", "outcome"),
    [
        (VMI, (*NIC, "mac"), "changed", NOTICED),
        (VMI, ("status", "nodeName"), "changed", NOTICED),
        (VMI, ("spec", "networks", "[secondary]", "multus", "networkName"), "delayed", NO_EFFECT),
        ("VirtualMachine", ("status", "conditions", "[Ready]", "status"), "dropped", NOTICED),
        ("Pod", ("spec", "nothing"), "dropped", NO_EFFECT),
        ("Pod", ("metadata", "resourceVersion"), "changed", LEFT_OUT),
        ("guest", ("interface[net1].mtu",), "changed", NOTICED),
        ("guest", ("interface[net1].mtu",), "dropped", NOTICED),
        ("frames", ("vm-under-test", "to old-peer (10.10.0.11)", "ICMP"), "answered on the wrong network", NOTICED),
        ("frames", ("new-peer", "to vm-under-test (10.10.0.10)", "TCP"), "dropped", NOTICED),
        ("frames", ("new-peer", "to old-peer (10.10.1.11)", "TCP"), "dropped", NOTICED),
        ("frames", ("vm-under-test", "to new-peer (10.10.0.12)", "TCP"), "delayed", UNNOTICED),
    ],
)
def test_a_deviation_comes_out_as_it_must(part: str, path: tuple[str, ...], how: str, outcome: str) -> None:
    found = tried(Deviation(part, path, how, 1))
    assert found.outcome == outcome, found.message


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    assert draw(50, 3) == draw(50, 3) != draw(50, 4)
    parts = Counter("object" if one.part in deviations.KINDS else one.part for one in draw(300, 3))
    assert min(parts[part] for part in ("object", "guest", "frames")) > 60


def test_few_are_excluded() -> None:
    drawn = draw(1000, 5)
    out = [one for one in drawn if is_left_out(str(one))]
    assert len(out) <= MOST_EXCLUDED * len(drawn)


def test_what_draws_knows_nothing_of_what_is_judged() -> None:
    for module in (deviations, noise):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {name for name in names if name.startswith(("livenad", "KubeVirt", "Guest"))} <= {
            "livenad.rejudge.differences"
        }


def test_noise_is_no_alarm() -> None:
    found = try_noise(6, 1)
    assert len({one.title for one in found}) > 1
    assert [(one.title, one.message) for one in found if one.outcome != GREEN] == []
