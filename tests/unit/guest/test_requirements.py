# SPDX-License-Identifier: Apache-2.0
"""What a guest lacks: asked once, told in words, and no reason to wait for anything."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from livenad.errors import LabError
from livenad.guest.requirements import NEEDS, missing_in, not_observed
from livenad.identity.guest_identity import interface_changes, interface_of, parse_identity
from livenad.model import CommandResult, Nic

DOCUMENT = Path(__file__).parents[3] / "docs" / "running-on-your-cluster.md"
NO_IP = "boot b1\nuptime 3.5\nlink eth0 02:00:00:00:00:01 1500 up 1\nmissing ip\n"


class Here:
    """A guest that is this machine, with these tools alone."""

    name = "guest here"

    def __init__(self, folder: Path, *tools: str) -> None:
        self._path = str(folder)
        for tool in tools:
            (folder / tool).write_text("#!/bin/sh\n", encoding="utf-8")
            (folder / tool).chmod(0o755)

    def run(self, command: str, timeout: float = 30, *, check: bool = True, repeatable: bool = False) -> CommandResult:
        argv = ["/bin/sh", "-c", command]
        done = subprocess.run(
            argv, capture_output=True, text=True, env={"PATH": self._path}, timeout=timeout, check=False
        )
        return CommandResult(command, done.returncode, done.stdout, done.stderr, 0)

    def prepare(self, timeout: float = 30) -> None: ...
    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("tools", "missing"),
    [
        (("ip", "ping", "bash", "cksum", "python3", "sudo"), []),
        (("ip", "ping", "nc", "cksum", "python3", "sudo"), []),
        (("ping", "cksum"), ["ip", "bash or nc", "python3", "root or sudo"]),
        ((), list(NEEDS)),
    ],
)
def test_what_is_missing(tmp_path: Path, tools: tuple[str, ...], missing: list[str]) -> None:
    assert missing_in(Here(tmp_path, *tools)) == missing


def test_null_device_that_may_not_be_written_is_no_missing_tool(tmp_path: Path) -> None:
    class NoNull(Here):
        def run(self, command: str, *rest: Any, **more: Any) -> CommandResult:
            return super().run(command.replace("/dev/null", str(tmp_path)), *rest, **more)

    with pytest.raises(LabError, match="guest here: its user may not write to /dev/null; give it mode 666"):
        missing_in(NoNull(tmp_path, "ip", "ping"))


def test_what_cannot_be_observed_is_told_in_words() -> None:
    assert not_observed([]) == ""
    assert not_observed(["bash or nc"]) == "no bash or nc: not observed are who answers by TCP"


def test_what_a_guest_must_have_is_documented() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").partition("## What a guest must have")[2].partition("\n## ")[0]
    for tool in (tool for need in NEEDS for tool in need.split(" or ")):
        assert f"`{tool}`" in section


def test_guest_without_ip_is_compared_by_what_was_observed() -> None:
    identity = parse_identity(NO_IP, "guest")
    assert not identity.has_ip
    interface = interface_of(identity, Nic("only", "02:00:00:00:00:01"), "guest")
    assert interface_changes(interface, identity) == []
    assert interface_changes(interface, parse_identity(NO_IP.replace("1500", "1400"), "guest")) == [
        "MTU was 1500, is 1400"
    ]
