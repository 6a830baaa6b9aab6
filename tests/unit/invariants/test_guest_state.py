# SPDX-License-Identifier: Apache-2.0
"""The whole state of a guest: what the script prints, and what a difference says."""

from __future__ import annotations

import re

import pytest
from livenad.errors import LabError
from livenad.invariants.guest_state import GuestState, parse_state
from livenad.invariants.judge_guest_state import compare_guest

PRINTED = """\
boot_id\tb00f
machine_id\t1234
hostname\tweb
kernel\t6.12
interface[eth0].mtu\t1450
interface[eth1].mtu\t1500
interface[eth1].address\t02:00:00:00:00:02
interface[eth1].carrier_changes\t1
resolver.nameserver[10.96.0.10]\tyes
sysctl.ipv4/conf/eth1/rp_filter\t2
addr.eth1\tinet 10.10.0.10/24 brd 10.10.0.255 scope global eth1 valid_lft forever preferred_lft forever
addr.eth0\tinet 10.0.2.2/24 scope global dynamic eth0 valid_lft 86313514sec preferred_lft 86313514sec
route4\tdefault via 10.0.2.1 dev eth0 proto dhcp src 10.0.2.2 metric 100
route4\t10.10.0.0/24 dev eth1 proto kernel scope link src 10.10.0.10 metric 101
route6\tfe80::/64 dev eth1 proto kernel metric 256 pref medium
route6\tdefault via fe80::1 dev eth0 proto ra metric 1024 expires 1795sec hoplimit 64 pref medium
rule4\t32766: from all lookup main
uptime\t100.50
process\tstarted at 4711
"""


def state() -> GuestState:
    return parse_state(PRINTED, "guest demo/web")


def changed(old: str, new: str) -> list[str]:
    found = compare_guest("demo/web", state(), parse_state(PRINTED.replace(old, new), "x"), 0.0, 0.0)
    return [str(one) for one in found.findings]


def test_equal_states_have_no_finding_and_each_value_is_counted() -> None:
    found = compare_guest("demo/web", state(), state(), 0.0, 0.0)
    assert not found.differences
    assert found.compared == len(state().values) + 1 == 18


def test_what_expires_or_is_learnt_is_no_difference() -> None:
    assert changed("valid_lft 86313514sec", "valid_lft 3sec") == []
    assert changed("expires 1795sec", "expires 3sec") == []
    assert (
        changed("route6\tdefault via fe80::1 dev eth0 proto ra", "route6\tdefault via fe80::2 dev eth0 proto ra") == []
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("b00f", "f00b", ["guest demo/web's boot_id was b00f, is f00b"]),
        ("1234", "4321", ["guest demo/web's machine_id was 1234, is 4321"]),
        ("[eth0].mtu\t1450", "[eth0].mtu\t1400", ["guest demo/web's interface[eth0].mtu was 1450, is 1400"]),
        ("rp_filter\t2", "rp_filter\t0", ["guest demo/web's sysctl.net/ipv4/conf/eth1/rp_filter was 2, is 0"]),
        ("resolver.nameserver[10.96.0.10]\tyes\n", "", ["resolver.nameserver[10.96.0.10] was yes, is gone"]),
        ("metric 101", "metric 102", ["metric 101] was present, is gone", "metric 102] was not set, is present"]),
        ("rule4\t32766", "rule4\t5: from all lookup 7\nrule4\t32766", ["rule4[5: from all lookup 7] was not set"]),
        (
            "10.10.0.10/24 brd",
            "10.10.0.11/24 brd",
            ["address[eth1][inet 10.10.0.10/24", "address[eth1][inet 10.10.0.11"],
        ),
        ("started at 4711", "ended", ["guest demo/web's process was started at 4711, is ended"]),
    ],
)
def test_each_value_that_differs_is_told(old: str, new: str, told: list[str]) -> None:
    found = changed(old, new)
    assert len(found) == len(told)
    assert all(part in line for part, line in zip(told, found, strict=True))


def test_what_a_router_of_the_new_network_advertises_is_no_finding() -> None:
    assert changed("rule4", "sysctl.ipv6/conf/eth1/hop_limit\t255\nrule4") == []
    assert changed("rule4", "route6\tlocal fe80::5 dev eth1 table local proto kernel metric 0 pref medium\nrule4") == []
    assert changed("rule4", "addr.eth1\tinet6 2001:db8::5/64 scope global dynamic mngtmpaddr\nrule4") == []


def test_lost_carrier_is_told_only() -> None:
    found = compare_guest("demo/web", state(), parse_state(PRINTED.replace("changes\t1", "changes\t3"), "x"), 0.0, 0.0)
    assert not found.findings
    assert [one.path for one in found.told] == ["interface[eth1].carrier_changes"]


@pytest.mark.parametrize(
    ("grown", "elapsed", "downtime", "wrong"),
    [(10.0, 10.4, 0.0, False), (10.0, 14.0, 3.5, False), (10.0, 14.0, 0.5, True), (14.0, 10.0, 5.0, True)],
)
def test_uptime_grows_by_the_elapsed_time_less_the_migrations(
    grown: float, elapsed: float, downtime: float, wrong: bool
) -> None:
    after = parse_state(PRINTED.replace("100.50", str(100.5 + grown)), "x")
    found = compare_guest("demo/web", state(), after, elapsed, downtime)
    assert bool(found.findings) == wrong
    assert not wrong or re.search(r"uptime was 100.50 s, is \d+.50 s 1\d s later", str(found.findings[0]))


def test_output_that_is_not_the_scripts_is_a_lab_error() -> None:
    with pytest.raises(LabError, match=r"guest demo/web: the guest did not print its state; .*sh: not found"):
        parse_state("sh: not found", "guest demo/web")
