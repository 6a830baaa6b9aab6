# SPDX-License-Identifier: Apache-2.0
"""A bridge that ends at its node: what is in the way is told with bridge, VLAN, nodes and remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from testplan.gate import Exit
from tests.embedded import ROOT, run_robot


@pytest.mark.circumstance(
    "the named bridge has no uplink on the nodes",
    topic="nodes",
    sees="is bridge stray, VLAN 15 ... have the VLAN allowed on the switch ports",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
@pytest.mark.timeout(180)
def test_bridge_that_the_nodes_do_not_have_is_named(tmp_path: Path) -> None:
    """The CNI plugin makes one on each node, without uplink."""
    values = ("BRIDGE:stray", "VLANS:150-160", "REACH_TIMEOUT:3 s", "ISOLATION_WINDOW:1 s")
    given = [argument for value in values for argument in ("--variable", value)]
    profile = str(ROOT / "variables" / "profiles" / "embedded.yaml")
    run = run_robot(tmp_path, "--include", "nad-01", *given, "--variablefile", profile, cluster=[])
    assert run.judgement.exit == Exit.LAB_ERROR
    (message,) = {outcome.message for outcome in run.outcomes.values()}
    # Console, report and sign-off show one line.
    told = message.removeprefix("Parent suite setup failed:\n").splitlines()[0]
    for words in (
        "LAB ERROR: before the change:",
        r'network "[\w-]+" is bridge stray, VLAN 15\d',
        "vm-under-test is on node embedded-1, (old|new)-peer on embedded-2",
        "have the VLAN allowed on the switch ports, choose other VLANS, or use the profile kubernetes-node-local",
    ):
        assert re.search(words, told), told
