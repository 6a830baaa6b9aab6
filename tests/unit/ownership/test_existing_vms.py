# SPDX-License-Identifier: Apache-2.0
"""A VM that exists already in a shared namespace: looked at, with what the cluster makes for it, and never renamed."""

from __future__ import annotations

import pytest
from livenad.api.kinds import EVENT, MIGRATION, NAD, POD, SECRET, VM, VMI, Kind, Object
from livenad.ownership.naming import Naming


def item(name: str, labels: dict[str, str] | None = None, **rest: object) -> Object:
    return {"metadata": {"name": name, "namespace": "team-a", "labels": labels or {}}, **rest}


@pytest.fixture
def naming() -> Naming:
    naming = Naming("-abc123-1")
    naming.adopt("web")
    return naming


@pytest.mark.parametrize(
    ("kind", "ours", "foreign"),
    [
        (VM, item("web"), item("web-2")),
        (VMI, item("web"), item("webs")),
        (
            POD,
            item("virt-launcher-web-x7k2p", {"vm.kubevirt.io/name": "web"}),
            item("virt-launcher-web-2-x7k2p", {"vm.kubevirt.io/name": "web-2"}),
        ),
        (MIGRATION, item("m", spec={"vmiName": "web"}), item("web", spec={"vmiName": "web-2"})),
        (EVENT, item("e", involvedObject={"name": "web"}), item("e", involvedObject={"name": "web-2"})),
        (
            EVENT,
            item("e", involvedObject={"name": "virt-launcher-web-x7k2p"}),
            item("e", involvedObject={"name": "virt-launcher-web-2-x7k2p"}),
        ),
    ],
)
def test_what_belongs_to_it_is_told_from_what_is_like_it(
    naming: Naming, kind: Kind, ours: Object, foreign: Object
) -> None:
    assert naming.owns(kind, ours)
    assert not naming.owns(kind, foreign)
    assert not Naming("-abc123-1").owns(kind, ours)


def test_what_merely_has_its_name_is_not_looked_at(naming: Naming) -> None:
    assert not naming.owns(NAD, item("web"))
    assert not naming.owns(SECRET, item("web"))


def test_what_the_suite_names_alike_still_gets_its_suffix(naming: Naming) -> None:
    assert naming.real("web") == "web-abc123-1"
