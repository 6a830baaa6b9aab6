# SPDX-License-Identifier: Apache-2.0
"""Variables: defaults agree with variables/defaults.yaml, and each wrong value is named with its remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from livenad.errors import BadInput
from livenad.setting_readers import vlans_text
from livenad.settings import VARIABLES, Settings, nearest
from robot.utils import timestr_to_secs

DEFAULTS = Path(__file__).parents[2] / "variables" / "defaults.yaml"

VARIABLE = re.compile(r"^[$@&]\{(\w+)\}", re.MULTILINE)


def settings(**values: object) -> Settings:
    return Settings.from_variables(values, timestr_to_secs)


def test_defaults_are_those_of_the_variable_file() -> None:
    documented = yaml.safe_load(DEFAULTS.read_text())
    assert set(documented) == set(VARIABLES)
    assert Settings.from_variables(documented, timestr_to_secs) == Settings() == settings()


def test_no_suite_has_a_variable_of_its_own_by_the_name_of_a_users() -> None:
    """The user's value, from a profile for instance, would count in place of the suite's."""
    root = DEFAULTS.parents[1]
    files = [*root.glob("suites/**/*.robot"), *root.glob("resources/*.resource")]
    names = {name for file in files for name in VARIABLE.findall(file.read_text(encoding="utf-8"))}
    assert "PLUGGED_NIC" in names
    assert names & set(VARIABLES) == set()


def test_variables_that_are_not_set_keep_their_defaults() -> None:
    assert settings(**dict.fromkeys(VARIABLES)) == Settings()


def test_values_are_typed() -> None:
    chosen = settings(VLANS="7, 10-12", SWAP_TIMEOUT="2 min 30 s", BRIDGE="br-ex.1", ALLOW_DISRUPTIVE=True)
    assert (chosen.vlans, chosen.swap_timeout, chosen.bridge) == ((7, 10, 11, 12), 150.0, "br-ex.1")
    assert chosen.allow_disruptive
    assert settings(VLANS="100").vlans == (100,)
    assert settings(VLANS=["100-101", "300"]).vlans == (100, 101, 300)
    assert settings(BOOT_TIMEOUT=90, GAP_THRESHOLD=1.5, LOSS_LIMIT=5, MANY_VMS=3).boot_timeout == 90.0
    assert settings(ALLOW_DISRUPTIVE="no").allow_disruptive is False
    assert settings(GAP_THRESHOLD="1500 ms").gap_threshold == 1.5
    assert settings(SPARE_NIC="ens4, ens5").spare_nic == ("ens4", "ens5")
    assert settings(EXPECTED_CAPABILITIES="localnet,ipv6").expected_capabilities == ("localnet", "ipv6")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("KUBEVIRT_VERSION", "main", "a version of KubeVirt such as 1.9"),
        ("KUBEVIRT_VERSION", "4.18", "a version of KubeVirt such as 1.9"),
        ("KUBEVIRT_VERSION", 1.1, 'put it in quotes, KUBEVIRT_VERSION: "..."'),
        ("VLANS", "4095", "VLAN ids from 1 to 4094"),
        ("VLANS", "0-10", "VLAN ids"),
        ("VLANS", "-1", "VLAN ids"),
        ("VLANS", "200-100", "VLAN ids"),
        ("VLANS", "100-199, 150", "each id once"),
        ("VLANS", "ten", "such as 100-199, 300"),
        ("VLANS", 64, "a value of type int"),
        ("VLANS", True, "no as False): put it in quotes"),
        ("IPV4_PREFIX", 10.2, 'put it in quotes, IPV4_PREFIX: "..."'),
        ("BRIDGE", True, "a value of type bool"),
        ("NAMESPACE", 2024, "a value of type int"),
        ("SWAP_TIMEOUT", True, "a value of type bool"),
        ("LOSS_LIMIT", 1.5, "a value of type float"),
        ("ALLOW_DISRUPTIVE", 1, "a value of type int"),
        ("VLANS", "", "VLAN ids"),
        ("NODE_NETWORK", "ovs", "one of existing, nmstate, node-local"),
        ("LOCALNET", "yes", "one of none, existing, nmstate"),
        ("LOCALNET_API", "udn", "one of nad, cudn"),
        ("LOCALNET_BRIDGE", "br ex", "name of an OVS bridge"),
        ("PHYSICAL_NETWORK", "a,b", "name of a physical network"),
        ("SPARE_NIC", "ens4,,ens5", "names of NICs separated by commas"),
        ("SPARE_NIC", "ens4, ens4", "names of NICs"),
        ("LEASE_NAMESPACE", "Default", "the name of a namespace"),
        ("IPV4_PREFIX", "10.10.0", "the first two numbers of private IPv4 addresses"),
        ("IPV4_PREFIX", "8.8", "private"),
        ("IPV4_PREFIX", "127.0", "private"),
        ("IPV4_PREFIX", "10.300", "such as 10.10"),
        ("IPV6_PREFIX", "fd00:10", "the first three groups"),
        ("IPV6_PREFIX", "ff02:0:0", "the first three groups"),
        ("IPV6_PREFIX", "fd00::10", "such as fd00:10:10"),
        ("ALLOW_DISRUPTIVE", "perhaps", "yes or no"),
        ("EXPECTED_CAPABILITIES", "localnet, Flight", "names of capabilities"),
        ("MONITORING_URL", "prometheus", "a URL such as"),
        ("QUIET_WINDOW", "", "a time above 0"),
        ("GAP_THRESHOLD", "short", "a time above 0"),
        ("LOSS_LIMIT", "100", "a whole number of percent from 0 to 99"),
        ("LOSS_LIMIT", "few", "a whole number of percent from 0 to 99"),
        ("LEASE_TIMEOUT", "never", "a time above 0"),
        ("MONITORING_TIMEOUT", "0", "a time above 0"),
        ("NON_MIGRATABLE_BY", "nothing", "one of binding, volume"),
        ("STORAGE_CLASS", "Fast Disks", "the name of a StorageClass"),
        ("MONITORING_URL", "thanos.example.com", "a URL such as https://"),
        ("NETWORK_TIMEOUT", "0", "a time above 0"),
        ("BRIDGE", "a-bridge-with-16", "15 characters at most"),
        ("BRIDGE", "br 1", "no spaces"),
        ("BRIDGE", "", "name of a Linux bridge"),
        ("OTHER_BRIDGE", "br 2", "no spaces"),
        ("OTHER_BRIDGE", "br1", "a bridge that differs from BRIDGE=br1"),
        ("NAMESPACE_PREFIX", "Nad_Swap", "lower-case letters, digits and hyphens"),
        ("NAMESPACE_PREFIX", "x" * 51, "50 characters at most"),
        ("VM_IMAGE", "quay.io/has space", "an image such as"),
        ("VM_IMAGE", "", "an image such as"),
        ("VM_MEMORY", "1 gig", "a quantity such as 1Gi"),
        ("VM_MEMORY", "0", "a quantity"),
        ("GUEST_USER", "root", "and not root"),
        ("GUEST_USER", "Bad User", "a Linux user name"),
        ("BOOT_TIMEOUT", "soon", "a time above 0"),
        ("SWAP_TIMEOUT", "0 s", "a time above 0"),
        ("SILENCE_WINDOW", "-5 s", "a time above 0"),
        ("REACH_TIMEOUT", "3 days", "up to one day"),
    ],
)
def test_wrong_value_is_named_with_expectation_and_remedy(variable: str, value: object, expected: str) -> None:
    with pytest.raises(BadInput) as caught:
        settings(**{variable: value})
    message = str(caught.value)
    assert message.startswith(f'LAB ERROR: variable {variable} is "{value}"; expected ')
    assert expected in message
    assert message.endswith(f"; set it with --variable {variable}:<value>")


def test_second_bridge_may_be_wanting() -> None:
    assert settings(OTHER_BRIDGE="").other_bridge == ""


def test_guests_may_have_no_ipv6() -> None:
    assert settings(IPV6_PREFIX="").ipv6_prefix == ""


@pytest.mark.circumstance(
    "the default guest image gets a new version in its registry",
    topic="guest",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_default_image_has_a_version() -> None:
    assert not Settings().vm_image.endswith(":latest")
    assert ":" in Settings().vm_image


def test_numbers_in_a_list_are_refused() -> None:
    with pytest.raises(BadInput, match="put it in quotes"):
        settings(VLANS=["100-101", 64])


def test_nearest_name_is_told_whatever_the_case() -> None:
    assert nearest("SWAP_TIMOT") == "SWAP_TIMEOUT"
    assert nearest("swap timeout") == "SWAP_TIMEOUT"
    assert nearest("quux") == ""


def test_bridges_may_be_alike_where_neither_is_used() -> None:
    assert settings(NODE_NETWORK="nmstate", OTHER_BRIDGE="br1").other_bridge == "br1"


def test_vlans_are_told_as_a_user_writes_them() -> None:
    assert vlans_text([300, 102, 100, 101]) == "100-102, 300"


@pytest.mark.parametrize(
    "image",
    [
        "quay.io/containerdisks/fedora:41",
        "registry.local:5000/team/disk",
        "fedora",
        "quay.io/a/b@sha256:" + "0" * 64,
        "quay.io/a/b:tag@sha256:" + "a" * 64,
    ],
)
def test_images_of_every_form_are_taken(image: str) -> None:
    assert settings(VM_IMAGE=image).vm_image == image
