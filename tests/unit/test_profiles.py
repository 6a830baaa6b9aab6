# SPDX-License-Identifier: Apache-2.0
"""Profiles: every value is a known variable, is valid, is explained, and all ways to make networks are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from livenad.settings import VARIABLES, Settings, unchosen_networks
from robot.utils import timestr_to_secs

VARIABLES_FOLDER = Path(__file__).parents[2] / "variables"
PROFILES = sorted((VARIABLES_FOLDER / "profiles").glob("*.yaml"))


def read(profile: Path) -> dict[str, object]:
    return dict(yaml.safe_load(profile.read_text()))


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_profile_sets_known_variables_to_valid_values(profile: Path) -> None:
    values = read(profile)
    assert set(values) <= set(VARIABLES)
    settings = Settings.from_variables(values, timestr_to_secs)
    assert settings.node_network == values.get("NODE_NETWORK", "existing")


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_profile_says_where_all_networks_are(profile: Path) -> None:
    assert unchosen_networks(read(profile)) == []


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_profile_says_first_what_it_is_for(profile: Path) -> None:
    lines = profile.read_text().splitlines()
    assert lines[0].startswith("# ")
    assert "" in lines[:6]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.stem)
def test_profile_is_named_in_the_documentation(profile: Path) -> None:
    docs = (VARIABLES_FOLDER.parent / "docs" / "running-on-your-cluster.md").read_text()
    assert profile.name in docs


def test_profiles_show_every_way() -> None:
    chosen = [Settings.from_variables(read(profile), timestr_to_secs) for profile in PROFILES]
    assert {settings.node_network for settings in chosen} == {"existing", "nmstate", "node-local"}
    assert {settings.localnet for settings in chosen} == {"none", "existing", "nmstate"}
    assert {settings.localnet_api for settings in chosen} == {"nad", "cudn"}


def test_every_variable_is_explained() -> None:
    """A comment stands above each default, or above the group that it begins or belongs to."""
    text = (VARIABLES_FOLDER / "defaults.yaml").read_text()
    for group in text.split("\n\n"):
        assert "#" in group.splitlines()[0] or not group.strip(), group
