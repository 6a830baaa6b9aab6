# SPDX-License-Identifier: Apache-2.0
"""Keywords that change settings of the whole cluster: what they refuse, and that they put back."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from livenad.api.kinds import KUBEVIRT, MIGRATION, dig
from livenad.api.status import AUTOMATIC
from livenad.cluster_settings.fields import Setting
from livenad.errors import LabError, ProductFault, TestError
from livenad.networks.attachment import Place
from robot.api import SkipExecution

from tests.unit.libraries.conftest import NAME, Call, boot
from tests.unit.support.fake_api import FakeApi

METHODS = Setting.workloadUpdateMethods


def methods(api: FakeApi) -> object:
    (found,) = [item for (path, _), item in api.objects.items() if path == KUBEVIRT.path()]
    return dig(found, "spec", "workloadUpdateStrategy", "workloadUpdateMethods")


@pytest.mark.parametrize("keyword", ["Cluster Setting Should Be Changeable", "Change Cluster Setting"])
def test_value_that_a_setting_cannot_have_is_a_test_error(call: Call, keyword: str) -> None:
    with pytest.raises(TestError, match='value "Sometimes" of setting vmRolloutStrategy: expected one of LiveUpdate'):
        call(keyword, Setting.vmRolloutStrategy, value="Sometimes")


def test_setting_that_has_the_value_is_changed_by_nobody_and_needs_no_right(api: FakeApi, call: Call) -> None:
    call("Cluster Setting Should Be Changeable", METHODS, value="LiveMigrate")
    call("Change Cluster Setting", METHODS, value="LiveMigrate")
    assert not api.requests("PATCH")


@pytest.mark.parametrize("keyword", ["Cluster Setting Should Be Changeable", "Change Cluster Setting"])
def test_user_who_does_not_allow_it_is_skipped(api: FakeApi, call: Call, keyword: str) -> None:
    with pytest.raises(SkipExecution, match="settings-switch is not there: variable ALLOW_DISRUPTIVE is no"):
        call(keyword, METHODS, value="none")
    assert not api.requests("PATCH")


def test_setting_needs_a_namespace_that_it_ends_with(connect: Callable[..., Call]) -> None:
    with pytest.raises(TestError, match="no test namespace is open"):
        connect(allow_disruptive=True)("Change Cluster Setting", METHODS, value="none")


def put_methods(api: FakeApi, *methods_: str) -> None:
    """What an operator that owns the resource makes of it."""
    item = json.loads(json.dumps(api.objects[KUBEVIRT.path("kubevirt"), "kubevirt"]))
    item["spec"]["workloadUpdateStrategy"]["workloadUpdateMethods"] = list(methods_)
    api.put(KUBEVIRT.path("kubevirt"), item)


@pytest.mark.circumstance(
    "the HyperConverged, or a GitOps tool, reverts a setting of the cluster during a suite",
    topic="others",
    sees="it cannot be judged, as another client has changed a setting ... workloadUpdateMethods of KubeVirt "
    "kubevirt/kubevirt, which this run set to none, is LiveMigrate again ... expected no migration",
    verdict="LAB ERROR",
    source="https://github.com/kubevirt/csi-driver/pull/22",
)
def test_setting_that_is_reverted_meanwhile_is_no_fault_of_the_product(
    healthy: FakeApi, connect: Callable[..., Call], sees: Callable[[object], None]
) -> None:
    healthy.put(KUBEVIRT.path("kubevirt"), healthy.objects.pop((KUBEVIRT.path(), "kubevirt")))
    healthy.aliases[KUBEVIRT.path()] = KUBEVIRT.path("kubevirt")
    call = connect(allow_disruptive=True)
    call("Open Test Namespace", exclusive=True)
    call("Change Cluster Setting", METHODS, value="none")
    for name in ("blue", "green"):
        call("Create Network", name, on=Place.bridge)
    call("Define VM", "web")
    call("Add NIC", "web", "secondary", network="blue")
    call("Start VMs")
    boot(healthy)
    call("Change VM Network", "web", nic="secondary", network="green")
    migration = {"metadata": {"name": "m1", "namespace": NAME, "annotations": {AUTOMATIC: ""}}}
    healthy.put(MIGRATION.path(NAME), {**migration, "spec": {"vmiName": "web"}, "status": {"phase": "Succeeded"}})
    with pytest.raises(ProductFault, match="expected no migration"):
        call("VM Should Have Been Migrated", "web", times=0)
    put_methods(healthy, "LiveMigrate")
    with pytest.raises(LabError) as caught:
        call("VM Should Have Been Migrated", "web", times=0)
    sees(caught.value)
