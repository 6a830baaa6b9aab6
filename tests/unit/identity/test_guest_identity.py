# SPDX-License-Identifier: Apache-2.0
"""What is read in a guest, and what counts as a change."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from livenad.errors import LabError
from livenad.identity.guest_identity import (
    GuestIdentity,
    GuestInterface,
    interface_changes,
    interface_of,
    parse_identity,
    reboot_evidence,
)
from livenad.identity.read_identity import READ_IDENTITY

from tests.unit.support.topology import nic

IPROUTE2 = """\
boot 6c0f
uptime 95.02
link lo 00:00:00:00:00:00 65536 unknown 1
link net1 02:00:00:00:00:02 1450 up 1
addr 1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
addr 2: net1    inet 10.10.0.10/24 brd 10.10.0.255 scope global net1\\       valid_lft 86313sec preferred_lft 86313sec
addr 2: net1    inet6 fe80::2/64 scope link \\       valid_lft forever preferred_lft forever
addr 2: net1    inet6 2001:db8::77/64 scope global temporary dynamic \\       valid_lft 600sec preferred_lft 60sec
route4 default via 10.10.0.1 dev net1 proto dhcp metric 100
route4 10.10.0.0/24 dev net1 proto kernel scope link src 10.10.0.10
route6 fe80::/64 dev net1 proto kernel metric 256 expires 500sec pref medium
"""
BUSYBOX = """\
boot 6c0f
uptime 95.02
link lo 00:00:00:00:00:00 65536 unknown 1
link net1 02:00:00:00:00:02 1450 up 1
addr 2: net1    inet 10.10.0.10/24 brd 10.10.0.255 scope global net1\\       valid_lft forever preferred_lft forever
route4 10.10.0.0/24 dev net1 scope link  src 10.10.0.10
"""


def interface(**changes: object) -> GuestInterface:
    base = GuestInterface("net1", "02:00:00:00:00:02", 1450, "up", True, ("10.10.0.10/24",), ("10.10.0.0/24 dev net1",))
    return replace(base, **changes)  # type: ignore[arg-type]


def identity(*interfaces: GuestInterface, boot: str = "a", uptime: float = 10.0) -> GuestIdentity:
    return GuestIdentity(boot, uptime, {one.name: one for one in interfaces})


def test_reads_iproute2() -> None:
    read = parse_identity(IPROUTE2, "guest")
    assert (read.boot_id, read.uptime) == ("6c0f", 95.02)
    net1 = read.interfaces["net1"]
    assert (net1.mac, net1.mtu, net1.link, net1.carrier) == ("02:00:00:00:00:02", 1450, "up", True)
    assert net1.addresses == ("10.10.0.10/24", "fe80::2/64")
    assert net1.routes == (
        "10.10.0.0/24 dev net1 proto kernel scope link src 10.10.0.10",
        "default via 10.10.0.1 dev net1 proto dhcp metric 100",
        "fe80::/64 dev net1 proto kernel metric 256 pref medium",
    )


def test_reads_busybox() -> None:
    assert parse_identity(BUSYBOX, "guest").interfaces["net1"].addresses == ("10.10.0.10/24",)


def test_reads_this_machine() -> None:
    text = subprocess.run(["sh", "-c", READ_IDENTITY], capture_output=True, text=True, check=True).stdout
    read = parse_identity(text, "here")
    assert "127.0.0.1/8" in read.interfaces["lo"].addresses
    assert read.uptime > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [("uptime 3\n", "did not print its boot id"), ("", "did not print")],
)
def test_what_cannot_be_read_is_a_lab_error(text: str, message: str) -> None:
    with pytest.raises(LabError, match=message):
        parse_identity(text, "guest")


def test_lapsing_lifetimes_are_no_change() -> None:
    later = IPROUTE2.replace("86313sec", "86000sec").replace("500sec", "42sec").replace("db8::77", "db8::99")
    assert interface_changes(parse_identity(IPROUTE2, "g").interfaces["net1"], parse_identity(later, "g")) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mac": "02:00:00:00:00:99"}, "MAC was 02:00:00:00:00:02, is 02:00:00:00:00:99"),
        ({"mtu": 1500}, "MTU was 1450, is 1500"),
        ({"link": "down"}, "link was up, is down"),
        ({"carrier": False}, "carrier was True, is False"),
        ({"addresses": ()}, 'address "10.10.0.10/24" is gone'),
        ({"addresses": ("10.10.0.10/24", "fe80::9/64")}, 'address "fe80::9/64" is new'),
        ({"routes": ()}, 'route "10.10.0.0/24 dev net1" is gone'),
        ({"name": "eth9"}, "name was net1, is eth9"),
    ],
)
def test_each_change_is_named(change: dict[str, object], message: str) -> None:
    assert interface_changes(interface(), identity(interface(**change))) == [message]


def test_interface_that_is_gone_is_named() -> None:
    changes = interface_changes(interface(), identity(interface(name="eth9", mac="02:00:00:00:00:77")))
    assert changes == ["it is gone; the guest has eth9"]


def test_nic_is_found_by_its_mac() -> None:
    assert interface_of(identity(interface()), nic("secondary", "old", 2), "guest demo/vm").name == "net1"
    with pytest.raises(LabError, match=r'no interface has the MAC 02:00:00:00:00:03 of NIC "other"; .* net1 02'):
        interface_of(identity(interface()), nic("other", "old", 3), "guest demo/vm")


def test_reboot_shows_in_boot_id_or_uptime() -> None:
    before = identity(boot="a", uptime=95.0)
    assert reboot_evidence(before, identity(boot="a", uptime=100.0), 5) is None
    text = reboot_evidence(before, identity(boot="b", uptime=3.0), 10)
    assert text == "boot id was a (up 1 min 35 s), is b (up 3.0 s) 10 s later: it rebooted about 3.0 s ago"
    assert "went backwards" in (reboot_evidence(before, identity(boot="a", uptime=3.0), 10) or "")
