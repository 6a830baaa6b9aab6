# SPDX-License-Identifier: Apache-2.0
"""The fuzzer's short run, and that it finds what is wrong when something is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emulator.dataplane.userns import check_machine

from .steps import Batch, Outage, Sequence, Step

ROOT = Path(__file__).resolve().parents[3]
SEED = 20
WIRE = "the data plane is not what network-status says"
REST = "a VM does not come to rest"
DEFECTS = [
    ("data-plane-keeps-old-network", WIRE),
    *(
        pytest.param(*found, marks=pytest.mark.nightly)
        for found in (
            ("vm-restarted-by-edit", "VMI replaced without a restart of the VM"),
            ("attached-to-both-networks", WIRE),
            ("network-status-names-old-network", REST),
            ("restart-required-stays", "RestartRequired without a reason"),
            ("qualified-name-migrates", "migration that nothing asked for"),
            ("guest-rebooted-vmi-stays", "a guest was rebooted"),
        )
    ),
]
LACKING = [str(finding) for finding in check_machine() if finding.fatal]
needs_dataplane = pytest.mark.skipif(bool(LACKING), reason="; ".join(LACKING))


def fuzz(*arguments: str) -> tuple[int, str]:
    """The fuzzer in a process of its own, which enters the sandbox; its exit status and what it said."""
    command = [sys.executable, "-m", "tests.emulator.fuzz", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout


@needs_dataplane
@pytest.mark.timeout(900)
def test_forty_sequences_hold_every_invariant(tmp_path: Path) -> None:
    status, said = fuzz("--sequences", "40", "--seed", str(SEED), "--save", str(tmp_path))
    assert status == 0, said
    assert "40 sequences" in said
    assert " 0 violations" in said


@needs_dataplane
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("defect", "invariant"), DEFECTS)
def test_defect_is_found(defect: str, invariant: str, tmp_path: Path) -> None:
    patience = "10" if invariant is REST else "60"
    words = ("--sequences", "60", "--batch", "6", "--seed", str(SEED), "--patience", patience, "--first")
    status, said = fuzz("--defect", defect, *words, "--save", str(tmp_path))
    assert status == 1, said
    assert f"VIOLATION 1: {invariant}" in said
    assert list(tmp_path.glob("violation-*.json")), "the batch was kept, to be played again"


def test_batch_is_read_as_it_was_written() -> None:
    steps = (Step("edit", (("net1", "b"), ("net2", "@a")), "Running"), Step("migrate"))
    outages = (Outage("cordon", 2, 5.0),)
    batch = Batch("main", (Sequence((("net1", "a"),), steps, movable=False),), outages, limits=True, defects=("x",))
    assert Batch.read(batch.text()) == batch
