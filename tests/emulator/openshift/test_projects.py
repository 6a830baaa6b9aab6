# SPDX-License-Identifier: Apache-2.0
"""Projects and the users who are no administrators, and NADs as the network operator guards them."""

from __future__ import annotations

import json

import pytest

from emulator.kube.errors import ApiError

from ..apiserver.harness import LiveApi, Obj, nad

NADS = "network-attachment-definitions.k8s.cni.cncf.io"
BOB = ("--as", "bob", "--as-group", "system:authenticated", "--as-group", "system:authenticated:oauth")
WEBHOOK = 'admission webhook "multus-validating-config.k8s.io" denied the request: '


def request_project(live: LiveApi, name: str, *user: str, **options: bool) -> str:
    meta = {"name": name}
    body = {"apiVersion": "project.openshift.io/v1", "kind": "ProjectRequest", "metadata": meta, "displayName": "Mine"}
    return live.kubectl("create", "--validate=false", "-f", "-", *user, stdin=json.dumps(body), **options)


def test_request_makes_a_namespace_and_its_admin(new: LiveApi) -> None:
    request_project(new, "bobs", *BOB)
    namespace = json.loads(new.kubectl("get", "namespace", "bobs", "-o", "json"))
    notes = namespace["metadata"]["annotations"]
    assert (notes["openshift.io/requester"], notes["openshift.io/display-name"]) == ("bob", "Mine")
    assert {"openshift.io/sa.scc.uid-range", "openshift.io/sa.scc.mcs"} <= notes.keys()
    binding = json.loads(new.kubectl("get", "rolebinding", "admin", "-n", "bobs", "-o", "json"))
    assert binding["roleRef"]["name"] == "admin"
    assert [subject["name"] for subject in binding["subjects"]] == ["bob"]
    assert new.kubectl("auth", "can-i", "create", "vm", "-n", "bobs", *BOB) == "yes\n"
    assert "already exists" in request_project(new, "bobs", *BOB, fails=True)


def test_users_see_their_own_projects_only(new: LiveApi) -> None:
    request_project(new, "mine", *BOB)
    shown = new.kubectl("get", "projects", "-o", "name", *BOB).split()
    assert "project.project.openshift.io/mine" in shown
    assert "project.project.openshift.io/demo" not in shown
    assert "project.project.openshift.io/demo" in new.kubectl("get", "projects", "-o", "name").split()
    assert "mine" in new.kubectl("get", "project", "mine", *BOB)
    assert "cannot get" in new.kubectl("get", "project", "demo", *BOB, fails=True)
    assert "cannot list" in new.kubectl("get", "namespaces", *BOB, fails=True)


def test_project_is_deleted_by_its_admin(new: LiveApi) -> None:
    request_project(new, "gone", *BOB)
    new.kubectl("delete", "project", "gone", *BOB)
    assert "NotFound" in new.kubectl("get", "namespace", "gone", fails=True)


def test_who_is_no_self_provisioner_is_told(new: LiveApi) -> None:
    said = "You may not request a new project via this API."
    assert said in request_project(new, "no", "--as", "bob", "--as-group", "system:authenticated", fails=True)


@pytest.mark.parametrize("role", ["admin", "edit"])
def test_members_only_read_nads(new: LiveApi, plain: LiveApi, role: str) -> None:
    for live in (new, plain):
        live.kubectl("create", "rolebinding", role, "-n", "demo", f"--clusterrole={role}", f"--user={role}-member")
    member = ("--as", f"{role}-member", "-n", "demo")
    verbs = ("get", "list", "watch", "create", "update", "patch", "delete")
    may = [verb for verb in verbs if can(new, verb, NADS, *member)]
    assert may == ["get", "list", "watch"]
    assert [verb for verb in verbs if can(plain, verb, NADS, *member)] == []
    assert all(can(live, "patch", "virtualmachines", *member) for live in (new, plain))
    assert not any(can(live, "create", "virtualmachineinstancemigrations", *member) for live in (new, plain))


def can(live: LiveApi, verb: str, resource: str, *who: str) -> bool:
    # kubectl's exit status is that of the answer, too.
    process = live.kubectl_process("auth", "can-i", verb, resource, *who)
    out, errors = process.communicate(timeout=60)
    assert out.strip() in ("yes", "no"), errors
    return out.strip() == "yes"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{"type": "bridge"', "configuration string is not in JSON format"),
        ('{"cniVersion": "0.3.1", "name": "a"}', "invalid config"),
        ('{"plugins": []}', "invalid config"),
        ('{"plugins": [{"vlan": 3}]}', "invalid config"),
    ],
)
def test_broken_nad_is_refused(new: LiveApi, plain: LiveApi, config: str, said: str) -> None:
    broken = nad("broken") | {"spec": {"config": config}}
    with pytest.raises(ApiError) as error:
        new.run(new.api.admin.create(NADS, broken))
    assert (error.value.code, error.value.message) == (400, WEBHOOK + said)
    plain.run(plain.api.admin.create(NADS, broken))
    plain.run(plain.api.admin.delete(NADS, "broken", "demo"))


def test_good_nads_are_taken(new: LiveApi) -> None:
    listed: Obj = nad("listed") | {"spec": {"config": '{"plugins": [{"type": "bridge"}, {"type": "tuning"}]}'}}
    for good in (nad("single"), listed, nad("empty") | {"spec": {}}):
        new.run(new.api.admin.create(NADS, good))
    change = {"spec": {"config": "{"}}
    with pytest.raises(ApiError, match="not in JSON format"):
        new.run(new.api.admin.patch(NADS, "single", "demo", change))
