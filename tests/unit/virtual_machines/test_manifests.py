# SPDX-License-Identifier: Apache-2.0
"""Manifests, cloud-init data, credentials."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from ipaddress import ip_interface

import paramiko
import pytest
import yaml
from livenad.model import GuestLogin, Nic, VmRecord
from livenad.networks.nad_manifests import bridge_nad
from livenad.virtual_machines.cloud_init import network_data, user_data
from livenad.virtual_machines.credentials import new_key_pair, new_password
from livenad.virtual_machines.manifests import cloud_init_secret, nic_mac, pod_interface_name, vm_manifest

USER_KEY, HOST_KEY = new_key_pair("run"), new_key_pair("web")
LOGIN = GuestLogin("tester", "a-password", USER_KEY.private, HOST_KEY.public)
NICS = [
    Nic("default", "02:00:00:00:00:01"),
    Nic("secondary", "02:00:00:00:00:02", "blue", (ip_interface("10.10.0.10/24"), ip_interface("fd00::10/64"))),
]
WEB = VmRecord("web", "demo", LOGIN, NICS)


def test_volume_of_one_node_goes_with_its_vm_and_keeps_it_in_place() -> None:
    non_migratable = replace(WEB, storage_class="slow")
    assert not non_migratable.can_migrate
    spec = vm_manifest(non_migratable, "r1", "image", "1Gi")["spec"]
    (template,) = spec["dataVolumeTemplates"]
    assert template["spec"]["storage"]["accessModes"] == ["ReadWriteOnce"]
    assert template["spec"]["storage"]["storageClassName"] == "slow"
    volume, disk = spec["template"]["spec"]["volumes"][-1], spec["template"]["spec"]["domain"]["devices"]["disks"][-1]
    assert volume == {"name": disk["name"], "dataVolume": {"name": template["metadata"]["name"]}}
    by_default = vm_manifest(replace(WEB, storage_class=""), "r1", "image", "1Gi")["spec"]
    assert "storageClassName" not in by_default["dataVolumeTemplates"][0]["spec"]["storage"]
    assert "dataVolumeTemplates" not in vm_manifest(WEB, "r1", "image", "1Gi")["spec"]


def test_macs_are_locally_administered_unicast_and_unique() -> None:
    macs = {nic_mac(run, vm, nic) for run in ("r1", "r2") for vm in ("demo/a", "demo/b") for nic in ("x", "y")}
    assert len(macs) == 8
    assert all(mac.startswith("02:") and len(mac) == 17 for mac in macs)
    assert nic_mac("r1", "demo/a", "x") == nic_mac("r1", "demo/a", "x")


@pytest.mark.parametrize(
    ("network", "interface"),
    [("bridge-net", "pod03b731d2111"), ("net1", "pod6c270ef2f25"), ("secondary", "podc0f69e19ba2")],
)
def test_pod_interface_names_are_those_of_kubevirt(network: str, interface: str) -> None:
    assert pod_interface_name(network) == interface


def test_vm_has_pod_network_first_and_bridge_bound_nics_with_macs() -> None:
    spec = vm_manifest(WEB, "r1", "quay.io/disk:1", "1Gi")["spec"]
    assert spec["runStrategy"] == "Always"
    template = spec["template"]["spec"]
    assert template["networks"] == [
        {"name": "default", "pod": {}},
        {"name": "secondary", "multus": {"networkName": "blue"}},
    ]
    masquerade, bridge = template["domain"]["devices"]["interfaces"]
    assert masquerade["masquerade"] == {}
    assert bridge["bridge"] == {}
    assert [masquerade["macAddress"], bridge["macAddress"]] == [nic.mac for nic in NICS]
    assert template["volumes"][0]["containerDisk"]["image"] == "quay.io/disk:1"
    assert template["domain"]["resources"]["requests"]["memory"] == "1Gi"


def test_vm_holds_no_secret() -> None:
    text = json.dumps(vm_manifest(WEB, "r1", "quay.io/disk:1", "1Gi"))
    assert LOGIN.password not in text
    assert "PRIVATE KEY" not in text
    assert "web-cloud-init" in text


def test_secret_has_both_parts_of_cloud_init() -> None:
    secret = cloud_init_secret(WEB, "user", "network")
    assert secret["stringData"] == {"userdata": "user", "networkdata": "network"}


def test_network_data_matches_by_mac_and_has_one_default_route() -> None:
    data = yaml.safe_load(network_data(NICS))
    assert data["version"] == 2
    pod, bridge = data["ethernets"]["net0"], data["ethernets"]["net1"]
    assert pod == {"match": {"macaddress": NICS[0].mac}, "set-name": "net0", "dhcp4": True}
    assert bridge["match"] == {"macaddress": NICS[1].mac}
    assert bridge["addresses"] == ["10.10.0.10/24", "fd00::10/64"]
    assert bridge["dhcp4"] is False
    assert "gateway4" not in bridge
    assert "routes" not in bridge


def test_pod_network_without_ipv4() -> None:
    pod = yaml.safe_load(network_data(NICS, ipv6_only=True))["ethernets"]["net0"]
    assert pod["dhcp4"] is False
    assert (pod["addresses"], pod["gateway6"]) == (["fd10:0:2::2/120"], "fd10:0:2::1")


def test_user_data_lets_our_user_in_and_carries_our_host_key() -> None:
    text = user_data("web", LOGIN, USER_KEY, HOST_KEY)
    assert text.startswith("#cloud-config\n")
    data = yaml.safe_load(text)
    (user,) = data["users"]
    assert user["name"] == "tester"
    assert user["plain_text_passwd"] == LOGIN.password
    assert user["lock_passwd"] is False
    assert user["ssh_authorized_keys"] == [USER_KEY.public]
    assert data["ssh_keys"] == {"ed25519_private": HOST_KEY.private, "ed25519_public": HOST_KEY.public}
    assert any("arp_ignore" in command for command in data["bootcmd"])


def test_keys_are_openssh_text_that_paramiko_reads() -> None:
    key = paramiko.Ed25519Key.from_private_key(io.StringIO(USER_KEY.private))
    assert USER_KEY.public.split()[:2] == [key.get_name(), key.get_base64()]
    assert USER_KEY.private not in repr(USER_KEY)


def test_passwords_differ_and_need_no_quoting() -> None:
    first, second = new_password(), new_password()
    assert first != second
    assert first.isalnum()


def test_bridge_nad_leaves_vlan_out_where_untagged() -> None:
    tagged = json.loads(bridge_nad("blue", "demo", "br1", 100)["spec"]["config"])
    assert (tagged["type"], tagged["bridge"], tagged["vlan"]) == ("bridge", "br1", 100)
    assert "vlan" not in json.loads(bridge_nad("blue", "demo", "br1", 0)["spec"]["config"])
