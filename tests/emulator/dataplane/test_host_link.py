# SPDX-License-Identifier: Apache-2.0
"""What keeps a machine from being connected to the pod network; that a connected one reaches it: ``test_alone.py``."""

from __future__ import annotations

import os

import pytest

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.host_link import HostLink, clashing_route


def test_only_root_may_connect_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(DataPlaneError, match="only root may connect this machine to the pod network; run it with sudo"):
        HostLink.open()


@pytest.mark.parametrize(
    ("destinations", "clash"),
    [
        (["default", "192.0.2.0/24", "10.0.0.1"], ""),
        (["default", "10.244.3.0/24"], "10.244.3.0/24"),
        (["10.0.0.0/8"], "10.0.0.0/8"),
        (["10.244.1.7"], "10.244.1.7"),
    ],
)
def test_addresses_that_the_machine_reaches_otherwise_are_left_alone(destinations: list[str], clash: str) -> None:
    assert clashing_route({"dst": one} for one in destinations) == clash
