"""Variables: defaults agree with variables/defaults.yaml, and each wrong value is named with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from robot.utils import timestr_to_secs
from testbed.errors import BadInput
from testbed.settings import VARIABLES, Settings

DEFAULTS = Path(__file__).parents[3] / "variables" / "defaults.yaml"


def settings(**values: object) -> Settings:
    return Settings.from_variables(values, timestr_to_secs)


def test_defaults_are_those_of_the_variable_file() -> None:
    documented = yaml.safe_load(DEFAULTS.read_text())
    assert set(documented) == set(VARIABLES)
    assert Settings.from_variables(documented, timestr_to_secs) == Settings() == settings()


def test_variables_that_are_not_set_keep_their_defaults() -> None:
    assert settings(**dict.fromkeys(VARIABLES)) == Settings()


def test_values_are_typed() -> None:
    chosen = settings(OLD_VLAN="7", NEW_VLAN=0, SWAP_TIMEOUT="2 min 30 s", BRIDGE="br-ex.1")
    assert (chosen.old_vlan, chosen.new_vlan, chosen.swap_timeout, chosen.bridge) == (7, 0, 150.0, "br-ex.1")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("OLD_VLAN", 4095, "a VLAN id, a whole number from 0"),
        ("OLD_VLAN", "-1", "a VLAN id"),
        ("OLD_VLAN", "ten", "a VLAN id"),
        ("OLD_VLAN", 1.5, "a VLAN id"),
        ("OLD_VLAN", True, "a VLAN id"),
        ("OLD_VLAN", "", "a VLAN id"),
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


def test_vlans_must_differ() -> None:
    with pytest.raises(BadInput, match=r'variable NEW_VLAN is "100"; expected a VLAN that differs from OLD_VLAN=100'):
        settings(NEW_VLAN=100)


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
