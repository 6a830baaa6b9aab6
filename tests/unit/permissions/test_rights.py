# SPDX-License-Identifier: Apache-2.0
"""Rights that are asked for at once: what rules grant, and what is still asked one by one."""

from __future__ import annotations

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import ACCESS_REVIEW, RULES_REVIEW
from livenad.permissions.rights import NEEDED_RIGHTS, Right, missing_rights, within

from tests.unit.support.fake_api import FakeApi, Object

EVERYTHING = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
CONSOLE = Right("get", "subresources.kubevirt.io", "virtualmachineinstances/console", "commands")
BIND = Right("bind", "rbac.authorization.k8s.io", "clusterroles", "that role", name="edit")


def tell(api: FakeApi, *rules: Object, **status: object) -> None:
    api.answers["POST", RULES_REVIEW.path()] = {"status": {"resourceRules": list(rules), "incomplete": False, **status}}
    api.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": False}}


def asked(api: FakeApi) -> int:
    return len(api.requests("POST", ACCESS_REVIEW.path()))


def test_an_administrators_rights_take_one_request(api: FakeApi, cluster: Cluster) -> None:
    tell(api, EVERYTHING)
    assert missing_rights(cluster, within(NEEDED_RIGHTS, "demo")) == []
    assert len(api.seen) == 1
    assert api.seen[0].body["spec"] == {"namespace": "demo"}


def test_rights_in_every_namespace_are_the_rules_of_one_that_does_not_exist(api: FakeApi, cluster: Cluster) -> None:
    tell(api, EVERYTHING)
    missing_rights(cluster, within(NEEDED_RIGHTS, ""))
    assert [seen.body["spec"]["namespace"] for seen in api.seen] == ["kubevirt-nad-tests-none"]


@pytest.mark.parametrize(
    ("right", "rule"),
    [
        (CONSOLE, {"resources": ["virtualmachineinstances/console"]}),
        (CONSOLE, {"resources": ["*/console"]}),
        (CONSOLE, {"apiGroups": ["", "subresources.kubevirt.io"]}),
        (BIND, {"resourceNames": ["admin", "edit"]}),
        (BIND, {"resources": ["clusterroles"]}),
    ],
)
def test_a_rule_grants_what_it_names(right: Right, rule: Object, api: FakeApi, cluster: Cluster) -> None:
    tell(api, EVERYTHING | rule)
    assert (missing_rights(cluster, [right]), asked(api)) == ([], 0)


@pytest.mark.parametrize(
    ("right", "rule"),
    [
        (CONSOLE, {"resources": ["virtualmachineinstances"]}),
        (CONSOLE, {"resources": ["*/vnc"]}),
        (CONSOLE, {"apiGroups": ["kubevirt.io"]}),
        (CONSOLE, {"verbs": ["list"]}),
        (CONSOLE, {"resourceNames": ["web"]}),
        (BIND, {"resourceNames": ["admin"]}),
    ],
)
def test_what_no_rule_names_is_asked_for_by_itself(right: Right, rule: Object, api: FakeApi, cluster: Cluster) -> None:
    tell(api, EVERYTHING | rule)
    assert (missing_rights(cluster, [right]), asked(api)) == ([right], 1)
    api.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": True}}
    assert missing_rights(cluster, [right]) == []


@pytest.mark.parametrize("status", [{"incomplete": True}, {"evaluationError": "webhook authorizer: no rules"}])
def test_rules_that_are_not_complete_prove_nothing(status: Object, api: FakeApi, cluster: Cluster) -> None:
    tell(api, EVERYTHING, **status)
    assert (missing_rights(cluster, [CONSOLE]), asked(api)) == ([CONSOLE], 1)


def test_a_server_that_tells_no_rules_is_asked_one_by_one(api: FakeApi, cluster: Cluster) -> None:
    api.answers["POST", ACCESS_REVIEW.path()] = {"status": {"allowed": True}}
    api.forbidden.add(("POST", "selfsubjectrulesreviews"))
    assert (missing_rights(cluster, [CONSOLE, BIND]), asked(api)) == ([], 2)
