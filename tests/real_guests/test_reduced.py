# SPDX-License-Identifier: Apache-2.0
"""One try of each topic on a BusyBox guest, where QEMU is at hand and the guest's image was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.qemu.busybox import is_made
from emulator.qemu.needs import missing
from tests.real_guests.__main__ import run, table
from tests.real_guests.catalogue import REDUCED


@pytest.mark.timeout(300)
def test_guest_access_on_a_real_guest(tmp_path: Path) -> None:
    if lack := missing():
        pytest.skip(f"no real guests here: {lack}")
    if not is_made():
        pytest.skip("no real guests here: python -m tests.real_guests --reduced makes their image, once")
    results = run(REDUCED, 1, tmp_path / "results.jsonl", 240)
    flaws = [f"{r.topic}: {r.name}, {r.way}: {r.outcome}: {r.why}" for r in results if r.outcome != "right"]
    assert not flaws, "\n".join([*flaws, table(results)])
    assert len(results) == sum(len(one.ways) for one in REDUCED)
