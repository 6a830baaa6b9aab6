# SPDX-License-Identifier: Apache-2.0
"""The VMs of a suite: found by the suite's names and by those on the cluster, and what may not be defined."""

from __future__ import annotations

from ipaddress import ip_interface

import pytest
from livenad.errors import TestError
from livenad.ownership.naming import Naming, SuiteNamespace
from livenad.virtual_machines.registry import VirtualMachines


@pytest.fixture
def vms() -> VirtualMachines:
    return VirtualMachines(SuiteNamespace("demo"), "r1", "tester")


@pytest.fixture
def shared() -> VirtualMachines:
    """The VMs of a suite in a namespace that it shares."""
    return VirtualMachines(SuiteNamespace("demo", Naming("-r1-2")), "r1", "tester")


def test_a_vm_has_its_first_nic_on_the_pod_network_unless_it_has_none(vms: VirtualMachines) -> None:
    assert [(nic.name, nic.network) for nic in vms.define("web").nics] == [("default", None)]
    assert vms.define("bare", pod_network=False).nics == []
    assert not vms.define("fixed", pod_binding="bridge").can_migrate
    assert [record.name for record in vms] == ["web", "bare", "fixed"]


def test_each_guest_has_a_host_key_of_its_own_and_all_have_one_login(vms: VirtualMachines) -> None:
    web, db = vms.define("web").login, vms.define("db").login
    assert (web.user, web.password, web.private_key) == (db.user, db.password, vms.user_key.private)
    assert web.host_public_key == vms.host_key("web").public != db.host_public_key


def test_unknown_vm_is_told_with_those_that_are_defined(vms: VirtualMachines) -> None:
    with pytest.raises(TestError, match=r'^TEST ERROR: VM "wbe" is not defined in this suite; defined: none; see'):
        vms["wbe"]
    vms.define("web")
    vms.define("db")
    with pytest.raises(TestError, match='VM "wbe" is not defined in this suite; defined: web, db; see `Define VM`'):
        vms["wbe"]


@pytest.mark.parametrize("name", ["Web", "web_1", "-web", "", "w" * 51])
def test_name_that_no_vm_can_have_is_refused(vms: VirtualMachines, name: str) -> None:
    with pytest.raises(TestError, match=f'VM "{name}": expected lower-case letters, digits and hyphens, 50 characters'):
        vms.define(name)
    assert list(vms) == []


def test_vm_is_defined_once(vms: VirtualMachines) -> None:
    vms.define("web")
    with pytest.raises(TestError, match='VM "web" is already defined in namespace demo; choose another name'):
        vms.define("web")


def test_in_a_shared_namespace_both_names_of_a_vm_are_understood(shared: VirtualMachines) -> None:
    record = shared.define("web")
    assert record.name == "web-r1-2"
    assert shared["web"] is shared["web-r1-2"] is record
    with pytest.raises(TestError, match="is already defined"):
        shared.define("web-r1-2")
    with pytest.raises(TestError, match='VM "db" is not defined in this suite; defined: web-r1-2'):
        shared["db"]


def test_macs_differ_by_namespace_vm_and_nic(vms: VirtualMachines, shared: VirtualMachines) -> None:
    elsewhere = VirtualMachines(SuiteNamespace("other"), "r1", "tester")
    macs = {vms.mac("web", "a"), vms.mac("web", "b"), vms.mac("db", "a"), elsewhere.mac("web", "a")}
    assert len(macs) == 4
    assert shared.mac("web", "a") == vms.mac("web", "a")


def test_a_nic_gets_its_mac_network_and_addresses(vms: VirtualMachines) -> None:
    record, address = vms.define("web"), ip_interface("10.10.0.10/24")
    nic = vms.new_nic(record, "one", "blue", (address,))
    assert (nic.name, nic.mac, nic.network, nic.addresses) == ("one", vms.mac("web", "one"), "blue", (address,))
    assert nic not in record.nics


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("default", 'NIC "default" of VM web is already defined; choose another name'),
        ("One", 'NIC "One" of VM web: expected lower-case letters, digits and hyphens'),
    ],
)
def test_nic_that_cannot_be_is_refused(vms: VirtualMachines, name: str, said: str) -> None:
    with pytest.raises(TestError, match=said):
        vms.new_nic(vms.define("web"), name, "blue", ())


def test_vms_wait_until_they_are_started(vms: VirtualMachines) -> None:
    web, db = vms.define("web"), vms.define("db")
    assert (vms.started, vms.waiting) == ([], [web, db])
    vms.mark_started("db")
    assert (vms.started, vms.waiting) == ([db], [web])
