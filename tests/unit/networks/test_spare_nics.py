# SPDX-License-Identifier: Apache-2.0
"""Spare NICs, as NMState reports the interfaces of the nodes."""

from __future__ import annotations

from typing import Any

import pytest
from livenad.networks.spare_nics import candidates, former_config, objection, objections, only_on_request, spare_nics

Object = dict[str, Any]


def nic(name: str, **changes: Any) -> Object:
    """An unused NIC, as a node shows it, with its link-local address."""
    link_local = {"ip": "fe80::1", "prefix-length": 64}
    off = {"enabled": False}
    fine = {"name": name, "type": "ethernet", "state": "up", "ipv4": off}
    return {**fine, "ipv6": {"enabled": True, "autoconf": True, "address": [link_local]}, **changes}


def state(*interfaces: Object, routes: list[Object] | None = None) -> Object:
    return {"status": {"currentState": {"interfaces": list(interfaces), "routes": {"running": routes or []}}}}


def test_nic_that_nobody_uses_is_spare() -> None:
    assert objection(state(nic("ens4")), "ens4") == ""


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"type": "bond"}, "is a bond"),
        ({"state": "down"}, "is down: no carrier, or not managed"),
        ({"controller": "br-ex"}, "belongs to br-ex"),
        ({"ipv4": {"enabled": True, "address": [{"ip": "192.0.2.7"}]}}, "has address 192.0.2.7"),
        ({"ipv6": {"enabled": True, "address": [{"ip": "2001:db8::7"}]}}, "has address 2001:db8::7"),
        ({"ipv4": {"enabled": True, "dhcp": True, "address": []}}, "asks for an address by DHCP"),
        ({"ethernet": {"sr-iov": {"total-vfs": 8}}}, "has 8 SR-IOV virtual functions"),
    ],
)
def test_nic_that_is_used_is_not(changes: Object, why: str) -> None:
    assert objection(state(nic("ens4", **changes)), "ens4") == why


@pytest.mark.circumstance(
    "a VRF, an OVS bridge or an ipvlan stands on a NIC that looks spare",
    topic="nodes",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    "user",
    [
        {"name": "br9", "type": "linux-bridge", "bridge": {"port": [{"name": "ens4"}]}},
        {"name": "bond0", "type": "bond", "link-aggregation": {"port": ["ens4"]}},
        {"name": "ens4.7", "type": "vlan", "vlan": {"base-iface": "ens4", "id": 7}},
        {"name": "red", "type": "vrf", "vrf": {"port": ["ens4"], "route-table-id": 100}},
        {"name": "ovs9", "type": "ovs-bridge", "bridge": {"port": [{"name": "ens4"}]}},
        {
            "name": "ovs9",
            "type": "ovs-bridge",
            "bridge": {"port": [{"name": "bond9", "link-aggregation": {"port": [{"name": "ens4"}, {"name": "ens5"}]}}]},
        },
        {"name": "ipv9", "type": "ipvlan", "ipvlan": {"base-iface": "ens4", "mode": "l2"}},
        {"name": "sec9", "type": "macsec", "macsec": {"base-iface": "ens4"}},
        {"name": "hsr9", "type": "hsr", "hsr": {"port1": "ens4", "port2": "ens5"}},
        {"name": "new9", "type": "not-known-yet", "not-known-yet": {"base-iface": "ens4"}},
        {"name": "br9", "type": "linux-bridge", "bridge": {"port": [{"name": "sriov:ens4:1"}]}},
    ],
)
def test_nic_that_something_is_built_upon_is_not(user: Object) -> None:
    assert objection(state(nic("ens4"), user), "ens4") == f"is used by {user['name']}"


@pytest.mark.circumstance(
    "a virtual function looks like a spare NIC",
    topic="nodes",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("physical", "function"),
    [
        (nic("ens4", ethernet={"sr-iov": {"total-vfs": 2, "vfs": [{"id": 0, "mac-address": "02:AA"}]}}), "any"),
        (nic("ens4", ethernet={"sr-iov": {"total-vfs": 2}}), "ens4v1"),
        (nic("ens4f0np0", ethernet={"sr-iov": {"total-vfs": 2}}), "ens4f0v0"),
    ],
)
def test_virtual_function_is_not(physical: Object, function: str) -> None:
    found = nic(function, **{"mac-address": "02:aa"})
    assert objection(state(physical, found), function) == f"is a virtual function of {physical['name']}"
    assert spare_nics({"n1": state(physical, found, nic("ens9"))}) == ["ens9"]


@pytest.mark.parametrize("name", ["usb0", "enp0s20f0u1", "enp0s29u1u2c2", "enx0a1b2c3d4e5f", "idrac"])
def test_usb_device_is_used_on_request_only(name: str) -> None:
    """The operating system of a BMC is at its other end, or the like."""
    states = {"n1": state(nic(name), nic("ens4"))}
    assert spare_nics(states) == ["ens4"]
    assert objections(states, name) == []
    assert "name it by SPARE_NIC" in only_on_request(name)


@pytest.mark.parametrize("name", ["ens4", "enp3s0f1", "enp3s0f1np1", "eth0", "eno1", "enP1p3s0"])
def test_names_of_other_nics_are_no_usb_devices(name: str) -> None:
    assert only_on_request(name) == ""


def test_nic_with_a_route_is_not_but_link_local_ones_do_not_count() -> None:
    link_local = {"destination": "fe80::/64", "next-hop-interface": "ens4"}
    assert objection(state(nic("ens4"), routes=[link_local]), "ens4") == ""
    real = {"destination": "198.51.100.0/24", "next-hop-interface": "ens4"}
    assert objection(state(nic("ens4"), routes=[link_local, real]), "ens4") == "has a route to 198.51.100.0/24"


def test_spare_is_what_is_spare_on_every_node() -> None:
    states = {
        "n1": state(nic("ens4"), nic("ens5"), nic("ens6")),
        "n2": state(nic("ens5"), nic("ens4", controller="ovs"), nic("ens6")),
        "n3": state(nic("ens4"), nic("ens6"), nic("ens5", state="down")),
    }
    assert spare_nics(states) == ["ens6"]
    assert objections(states, "ens4") == ["on n2 it belongs to ovs"]
    assert objections({**states, "n4": state()}, "ens6") == ["on n4 it is not there"]
    assert candidates(states) == ["ens4", "ens5", "ens6"]
    assert spare_nics({}) == []


def test_former_configuration_is_kept_without_addresses() -> None:
    former = former_config({"n1": state(nic("ens4"))}, "ens4")
    assert former == {
        "name": "ens4",
        "type": "ethernet",
        "state": "up",
        "ipv4": {"enabled": False},
        "ipv6": {"enabled": True, "autoconf": True},
    }
