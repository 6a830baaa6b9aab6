# SPDX-License-Identifier: Apache-2.0
"""One thing that goes wrong by a description: what is stored in place of what is written, and which frames match."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.apiserver.store import Store
from emulator.dataplane.detour import KINDS
from emulator.deviations.description import deviation
from emulator.deviations.writes import WrittenField
from emulator.fault_points import fault_points_for

KEY = ("demo", "vm1")
PATH = ("status", "nodeName")


def described(report: Path | str = "/nowhere", **what: Any) -> str:
    return "deviation=" + json.dumps({"vm": "vm1", "report": str(report), **what})


class Written:
    """A store with one field written wrong, and the VMI of a VM whose networks are edited."""

    def __init__(self, **detail: Any) -> None:
        self.told: list[dict[str, Any]] = []
        self.due: list[Callable[[dict[str, Any]], None]] = []
        self.change = WrittenField(
            vm="vm1",
            kind="VirtualMachineInstance",
            path=detail.pop("path", PATH),
            tell=lambda **what: self.told.append(what),
            **detail,
        )
        self.store = Store()
        self.store.written = lambda obj, before, _: self.change(
            obj, before=before, later=lambda _, then: self.due.append(then)
        )
        self._write("vms", {"kind": "VirtualMachine", **_spec("a")})
        self.vmi("n0")
        self._write("vms", {"kind": "VirtualMachine", **_spec("b")})

    def _write(self, bucket: str, obj: dict[str, Any]) -> dict[str, Any]:
        obj["metadata"] = {"name": "vm1", "namespace": "demo"}
        return self.store.commit(bucket, KEY, obj, self.store.get(bucket, KEY)).obj

    def vmi(self, node: str) -> str | None:
        """The node that is stored when this one is written."""
        found = self._write("vmis", {"kind": "VirtualMachineInstance", "status": {"nodeName": node}})
        stored: str | None = found["status"].get("nodeName")
        return stored


def _spec(network: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"networks": [{"name": "n", "multus": {"networkName": network}}]}}}}


@pytest.mark.parametrize(
    ("detail", "stored"),
    [
        ({"how": "changed"}, ["n1-odd", "n2"]),
        ({"how": "changed", "times": 2}, ["n1-odd", "n2-odd", "n3"]),
        ({"how": "changed", "write": 2}, ["n1", "n2-odd", "n3"]),
        ({"how": "dropped"}, [None, "n2"]),
        ({"how": "doubled"}, ["n1n1", "n2"]),
        ({"how": "delayed"}, ["n0", "n2"]),
        ({"how": "touched"}, ["n1", "n2"]),
    ],
)
def test_a_field_is_written_wrong_after_the_edit(detail: dict[str, Any], stored: list[str | None]) -> None:
    written = Written(**detail)
    assert [written.vmi(f"n{number}") for number in range(1, len(stored) + 1)] == stored
    assert written.told[0]["done"] == "VirtualMachineInstance vm1"


def test_a_field_is_added_and_an_object_written_again() -> None:
    written = Written(how="added", path=("status", "odd"))
    written.vmi("n1")
    assert written.told == [{"done": "VirtualMachineInstance vm1", "path": "status.odd", "was": None, "now": "odd"}]
    again = Written(how="touched", path=())
    again.vmi("n1")
    assert len(again.due) == 1


def test_what_is_wrong_is_not_made_wrong_once_more() -> None:
    written = Written(how="changed", times=9)
    assert written.vmi("n1") == "n1-odd"
    assert written.vmi("n1-odd") == "n1-odd"


def test_a_delayed_value_comes_later() -> None:
    written = Written(how="delayed")
    assert written.vmi("n1") == "n0"
    obj: dict[str, Any] = {"status": {"nodeName": "n0"}}
    written.due[0](obj)
    assert obj == {"status": {"nodeName": "n1"}}


def test_it_is_told_when_the_field_is_right_again() -> None:
    written = Written(how="changed")
    for node in ("n1", "n1-odd", "n1", "n1"):
        written.vmi(node)
    assert [one["healed"] for one in written.told if "healed" in one] == [True]


def test_nothing_is_wrong_before_the_edit_or_in_what_is_not_there() -> None:
    written = Written(how="changed", path=("status", "phase"))
    written.vmi("n1")
    assert written.told == []


@pytest.mark.parametrize(
    "name",
    [
        "deviation=nonsense",
        described(),
        described(guest={}),
        described(field={"kind": "Pod", "path": [], "how": "changed", "colour": "red"}),
        described(frames={"nic": "n", "to_guest": True, "kind": "smoke", "how": "dropped"}),
        described(frames={"nic": "n", "to_guest": True, "kind": "UDP", "how": "eaten"}),
    ],
)
def test_a_description_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="does not describe a deviation"):
        deviation(name)


def test_it_is_switched_on_as_a_defect() -> None:
    points = fault_points_for([described(guest={"reboot": True})])
    assert points.changes("agent.after_switch_over")
    assert not points.changes("store.write")


ETHERNET = bytes.fromhex("ffffffffffff 020000000001".replace(" ", ""))
ARP_REQUEST = ETHERNET + bytes.fromhex("0806 0001 0800 06 04 0001".replace(" ", "")) + bytes(20)
PING = bytes(12) + b"\x08\x00" + b"\x45\x00\x00\x54" + bytes(5) + b"\x01" + bytes(10) + b"\x08" + bytes(7)


def test_kinds_of_frames() -> None:
    assert [name for name, kind in KINDS.items() if kind.fits(ARP_REQUEST)] == ["ARP request", "broadcast"]
    assert [name for name, kind in KINDS.items() if kind.fits(PING)] == ["ICMP echo request"]
