"""Keywords that change settings of the whole cluster: what they refuse, and that they put back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from livenad.api.kinds import KUBEVIRT, dig
from livenad.cluster_settings.fields import Setting
from livenad.errors import TestError
from robot.api import SkipExecution

from tests.unit.libraries.conftest import Call
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
