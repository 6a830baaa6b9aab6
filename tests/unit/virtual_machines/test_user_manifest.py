# SPDX-License-Identifier: Apache-2.0
"""A manifest of the user's: kept whole, completed where something is missing, refused where it is wrong."""

from __future__ import annotations

import copy
from ipaddress import ip_interface
from pathlib import Path

import pytest
import yaml
from livenad.api.kinds import Object
from livenad.errors import TestError
from livenad.model import Nic, VmRecord
from livenad.ownership.labels import RUN_LABEL, VM_LABEL
from livenad.ownership.naming import SuiteNamespace
from livenad.virtual_machines.credentials import NO_LOGIN, given_login
from livenad.virtual_machines.registry import VirtualMachines
from livenad.virtual_machines.user_manifest import (
    learn_macs,
    manifest_to_create,
    nics_of_spec,
    read_manifest,
    starts_by_itself,
)

MANIFEST: Object = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "metadata": {"name": "web-server", "labels": {"app": "web"}, "annotations": {"example.com/note": "kept"}},
    "spec": {
        "runStrategy": "Manual",
        "instancetype": {"name": "small"},
        "template": {
            "metadata": {"labels": {"app": "web"}, "annotations": {"example.com/owner": "team-a"}},
            "spec": {
                "nodeSelector": {"zone": "a"},
                "domain": {
                    "devices": {
                        "disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                        "interfaces": [
                            {"name": "default", "masquerade": {}, "ports": [{"port": 22}]},
                            {"name": "secondary", "bridge": {}, "macAddress": "02-00-00-0A-00-01"},
                        ],
                    },
                },
                "networks": [
                    {"name": "default", "pod": {}},
                    {"name": "secondary", "multus": {"networkName": "blue"}},
                ],
                "volumes": [{"name": "root", "containerDisk": {"image": "quay.io/team-a/web:1"}}],
            },
        },
    },
}
OWN_SETUP = {"name": "setup", "cloudInitNoCloud": {"userData": "#cloud-config"}}


def with_own_setup() -> Object:
    manifest = copy.deepcopy(MANIFEST)
    manifest["spec"]["template"]["spec"]["volumes"].append(OWN_SETUP)
    return manifest


@pytest.fixture
def vms() -> VirtualMachines:
    return VirtualMachines(SuiteNamespace("demo"), "r1", "tester")


def define(vms: VirtualMachines, manifest: Object, **addresses: str) -> VmRecord:
    return vms.define_from_manifest(
        "web",
        manifest,
        NO_LOGIN,
        network=lambda name: f"{name}-r1-1",
        addresses={nic: (ip_interface(text),) for nic, text in addresses.items()},
    )


def without_additions(created: Object) -> Object:
    """What is created less what may be added to it."""
    body = copy.deepcopy(created)
    template = body["spec"]["template"]
    for label in (RUN_LABEL, VM_LABEL):
        del template["metadata"]["labels"][label]
    spec = template["spec"]
    spec["domain"]["devices"]["disks"] = spec["domain"]["devices"]["disks"][:1]
    spec["volumes"] = spec["volumes"][:1]
    del spec["domain"]["devices"]["interfaces"][0]["macAddress"]
    return body


def test_everything_of_the_users_is_kept(vms: VirtualMachines) -> None:
    created = without_additions(manifest_to_create(define(vms, MANIFEST), "r1"))
    expected = copy.deepcopy(MANIFEST)
    expected["metadata"] |= {"name": "web", "namespace": "demo"}
    expected["spec"]["template"]["spec"]["networks"][1]["multus"]["networkName"] = "blue-r1-1"
    assert created == expected


def test_the_manifest_itself_is_not_changed(vms: VirtualMachines) -> None:
    before = copy.deepcopy(MANIFEST)
    record = define(vms, MANIFEST)
    manifest_to_create(record, "r1")
    assert before == MANIFEST


def test_what_is_missing_is_added(vms: VirtualMachines) -> None:
    record = define(vms, MANIFEST, secondary="10.10.0.10/24")
    template = manifest_to_create(record, "r1")["spec"]["template"]
    assert template["metadata"]["labels"] == {"app": "web", RUN_LABEL: "r1", VM_LABEL: "web"}
    macs = [one["macAddress"] for one in template["spec"]["domain"]["devices"]["interfaces"]]
    assert macs == [vms.mac("web", "default"), "02-00-00-0A-00-01"]
    assert [nic.mac for nic in record.nics] == [vms.mac("web", "default"), "02:00:00:0a:00:01"]
    assert record.nics[1] == Nic("secondary", "02:00:00:0a:00:01", "blue-r1-1", (ip_interface("10.10.0.10/24"),))
    ours = template["spec"]["volumes"][-1]
    assert ours["cloudInitNoCloud"]["secretRef"] == {"name": "web-cloud-init"}
    assert template["spec"]["domain"]["devices"]["disks"][-1]["name"] == ours["name"]
    assert record.guest_is_known


def test_a_guest_that_sets_itself_up_is_left_to_itself(vms: VirtualMachines) -> None:
    record = define(vms, with_own_setup())
    spec = manifest_to_create(record, "r1")["spec"]["template"]["spec"]
    assert spec["volumes"][1:] == [OWN_SETUP]
    assert record.login == NO_LOGIN


def test_a_guest_whose_login_is_given_gets_no_setup(vms: VirtualMachines) -> None:
    login = given_login("web", "admin", "secret-word", None)
    record = vms.define_from_manifest("web", MANIFEST, login, network=str, addresses={})
    assert record.login == login
    assert len(manifest_to_create(record, "r1")["spec"]["template"]["spec"]["volumes"]) == 1


def test_a_vm_without_nics_gets_one_on_the_pod_network(vms: VirtualMachines) -> None:
    manifest = copy.deepcopy(MANIFEST)
    spec = manifest["spec"]["template"]["spec"]
    del spec["networks"], spec["domain"]["devices"]
    record = define(vms, manifest)
    assert record.nics == [Nic("default", vms.mac("web", "default"))]
    assert manifest_to_create(record, "r1")["spec"]["template"]["spec"]["networks"] == [{"name": "default", "pod": {}}]


def test_a_vm_that_wants_no_nic_gets_none(vms: VirtualMachines) -> None:
    manifest = copy.deepcopy(MANIFEST)
    spec = manifest["spec"]["template"]["spec"]
    del spec["networks"]
    spec["domain"]["devices"] = {"autoattachPodInterface": False}
    record = define(vms, manifest)
    assert record.nics == []
    assert "interfaces" not in manifest_to_create(record, "r1")["spec"]["template"]["spec"]["domain"]["devices"]


def test_a_nic_that_was_added_later_is_created(vms: VirtualMachines) -> None:
    record = define(vms, MANIFEST)
    record.nics.append(vms.new_nic(record, "third", "green", ()))
    spec = manifest_to_create(record, "r1")["spec"]["template"]["spec"]
    assert spec["networks"][-1] == {"name": "third", "multus": {"networkName": "green"}}
    assert spec["domain"]["devices"]["interfaces"][-1]["macAddress"] == vms.mac("web", "third")


def test_what_only_the_server_writes_is_left_out(vms: VirtualMachines) -> None:
    exported = copy.deepcopy(MANIFEST) | {"status": {"ready": True}}
    exported["metadata"] |= {"uid": "u", "resourceVersion": "7", "generation": 2, "creationTimestamp": "t"}
    created = manifest_to_create(define(vms, exported), "r1")
    assert "status" not in created
    assert set(created["metadata"]) == {"name", "namespace", "labels", "annotations"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"running": True}, True),
        ({"running": False}, False),
        ({}, False),
        ({"runStrategy": "Always"}, True),
        ({"runStrategy": "RerunOnFailure"}, True),
        ({"runStrategy": "Halted"}, False),
        ({"runStrategy": "Manual"}, False),
    ],
)
def test_whether_it_runs_by_itself(spec: Object, expected: bool) -> None:
    assert starts_by_itself({"spec": spec}) is expected


def test_a_file_with_one_vm_is_read(tmp_path: Path) -> None:
    file = tmp_path / "vm.yaml"
    file.write_text("---\n" + yaml.safe_dump(MANIFEST) + "---\n")
    assert read_manifest(file) == MANIFEST


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has nothing; expected exactly one VirtualMachine"),
        ("kind: Secret", "has Secret; expected exactly one VirtualMachine"),
        ("- a", "has no object; expected exactly one"),
        (yaml.safe_dump_all([MANIFEST, MANIFEST]), "has VirtualMachine, VirtualMachine; expected exactly one"),
        ("kind: VirtualMachine\nspec: {}", "has no spec.template.spec.domain"),
        ("a: [", "is not YAML: "),
    ],
)
def test_a_file_that_is_no_vm_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "vm.yaml"
    file.write_text(text)
    with pytest.raises(TestError, match=said):
        read_manifest(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(TestError, match=r"^TEST ERROR: manifest .*none.yaml cannot be read: No such file"):
        read_manifest(tmp_path / "none.yaml")


def test_addresses_of_a_nic_that_is_not_there_are_refused(vms: VirtualMachines) -> None:
    with pytest.raises(TestError, match='NIC "third" of VM web, which has no such NIC; NICs: default, secondary'):
        define(vms, MANIFEST, third="10.0.0.1/24")


def test_nics_of_a_vm_that_exists_are_those_of_its_spec_with_macs_of_its_status() -> None:
    spec = copy.deepcopy(MANIFEST["spec"]["template"]["spec"])
    spec["domain"]["devices"]["interfaces"].append({"name": "gone", "state": "absent"})
    vmi = {"status": {"interfaces": [{"name": "default", "mac": "02:AA:00:00:00:01"}]}}
    assert nics_of_spec(spec, vmi) == [
        Nic("default", "02:aa:00:00:00:01"),
        Nic("secondary", "02:00:00:0a:00:01", "blue"),
    ]


def test_a_mac_is_learnt_once_the_vm_runs() -> None:
    record = VmRecord("web", "demo", NO_LOGIN, [Nic("default", ""), Nic("secondary", "02:01")], origin="existing")
    learn_macs(record, None)
    assert [nic.mac for nic in record.nics] == ["", "02:01"]
    interfaces = [{"name": "default", "mac": "02:AA"}, {"name": "secondary", "mac": "02:BB"}]
    learn_macs(record, {"status": {"interfaces": interfaces}})
    assert [nic.mac for nic in record.nics] == ["02:aa", "02:01"]


def test_a_login_is_whole_or_none(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert given_login("web", "", "", None) == NO_LOGIN
    assert given_login("web", "admin", "", key).private_key.startswith("-----BEGIN")
    assert "secret-word" not in repr(given_login("web", "admin", "secret-word", None))
    with pytest.raises(TestError, match="without user="):
        given_login("web", "", "secret-word", None)
    with pytest.raises(TestError, match='user "admin" is given without password='):
        given_login("web", "admin", "", None)
    with pytest.raises(TestError, match="cannot be read: No such file"):
        given_login("web", "admin", "", tmp_path / "none")
    key.write_text("ssh-ed25519 AAAA")
    with pytest.raises(TestError, match="is not a private key"):
        given_login("web", "admin", "", key)
