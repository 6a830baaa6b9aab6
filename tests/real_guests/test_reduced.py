# SPDX-License-Identifier: Apache-2.0
"""One try of each topic on a BusyBox guest, where QEMU and Debian's packages are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.qemu.busybox import image
from emulator.qemu.needs import missing
from emulator.qemu.packages import PackagesMissing
from tests.real_guests.__main__ import run, table
from tests.real_guests.catalogue import REDUCED


@pytest.mark.timeout(300)
def test_guest_access_on_a_real_guest(tmp_path: Path) -> None:
    if lack := missing():
        pytest.skip(f"no real guests here: {lack}")
    try:
        image()
    except PackagesMissing as error:
        pytest.skip(f"no real guests here: {error}")
    results = run(REDUCED, 1, tmp_path / "results.jsonl", 240)
    flaws = [f"{r.topic}: {r.name}, {r.way}: {r.outcome}: {r.why}" for r in results if r.outcome != "right"]
    assert not flaws, "\n".join([*flaws, table(results)])
    assert len(results) == sum(len(one.ways) for one in REDUCED)
