# SPDX-License-Identifier: Apache-2.0
"""RBAC, reviews, tokens and impersonation."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.kube.errors import ApiError
from emulator.kube.http import Access, HttpClient

from .harness import Api, config_map, nad

RBAC = "rbac.authorization.k8s.io"
NADS = "network-attachment-definitions.k8s.cni.cncf.io"


async def grant(api: Api, role: str, *, kind: str = "ClusterRole", subject: dict[str, str] | None = None) -> None:
    binding = {
        "kind": "RoleBinding",
        "metadata": {"name": f"{role}-binding", "namespace": "demo"},
        "roleRef": {"kind": kind, "name": role},
        "subjects": [subject or {"kind": "User", "name": "alice"}],
    }
    await api.admin.create(f"rolebindings.{RBAC}", binding)


async def may(client: HttpClient, verb: str, resource: str, **more: str) -> bool:
    asked = {"namespace": "demo", "verb": verb, "resource": resource, **more}
    body = {"kind": "SelfSubjectAccessReview", "metadata": {}, "spec": {"resourceAttributes": asked}}
    answer = await client.create("selfsubjectaccessreviews.authorization.k8s.io", body)
    return bool(answer["status"]["allowed"])


async def test_the_edit_role_holds_what_is_aggregated_to_it(api: Api) -> None:
    await grant(api, "edit")
    assert await may(api.alice, "create", "configmaps")
    assert await may(api.alice, "get", "pods")
    assert not await may(api.alice, "create", "roles", group=RBAC)
    assert not await may(api.alice, "patch", "virtualmachines", group="kubevirt.io")
    rule = {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachines"], "verbs": ["get", "patch"]}
    labels = {"rbac.authorization.k8s.io/aggregate-to-edit": "true"}
    role = {"kind": "ClusterRole", "metadata": {"name": "vm-edit", "labels": labels}, "rules": [rule]}
    await api.admin.create(f"clusterroles.{RBAC}", role)
    assert await may(api.alice, "patch", "virtualmachines", group="kubevirt.io")
    await api.alice.create("configmaps", config_map("mine"))
    with pytest.raises(ApiError) as refused:
        await api.alice.create("configmaps", config_map("mine", "default"))
    assert refused.value.code == 403


async def test_rights_are_asked_before_existence(api: Api) -> None:
    with pytest.raises(ApiError) as refused:
        await api.alice.get(NADS, "nosuch", "demo")
    assert refused.value.message == (
        f'{NADS} "nosuch" is forbidden: User "alice" cannot get resource "network-attachment-definitions" in API group '
        '"k8s.cni.cncf.io" in the namespace "demo"'
    )


async def test_resource_names_limit_a_rule(api: Api) -> None:
    rule = {"apiGroups": ["k8s.cni.cncf.io"], "resources": ["network-attachment-definitions"], "verbs": ["get"]}
    role = {
        "kind": "Role",
        "metadata": {"name": "one", "namespace": "demo"},
        "rules": [{**rule, "resourceNames": ["a"]}],
    }
    await api.admin.create(f"roles.{RBAC}", role)
    await grant(api, "one", kind="Role")
    await api.admin.create(NADS, nad("a"))
    await api.alice.get(NADS, "a", "demo")
    for attempt in (api.alice.get(NADS, "b", "demo"), api.alice.list(NADS, "demo")):
        with pytest.raises(ApiError) as refused:
            await attempt
        assert refused.value.code == 403


async def test_no_one_gives_away_what_he_does_not_have(api: Api) -> None:
    rule = {"apiGroups": [RBAC], "resources": ["roles", "rolebindings"], "verbs": ["create"]}
    role = {"kind": "Role", "metadata": {"name": "writer", "namespace": "demo"}, "rules": [rule]}
    await api.admin.create(f"roles.{RBAC}", role)
    await grant(api, "writer", kind="Role")
    wanted = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    with pytest.raises(ApiError) as refused:
        await api.alice.create(
            f"roles.{RBAC}", {"kind": "Role", "metadata": {"name": "more", "namespace": "demo"}, "rules": [wanted]}
        )
    assert refused.value.message == (
        f'roles.{RBAC} "more" is forbidden: user "alice" (groups=["dev" "system:authenticated"]) is attempting to '
        'grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )


async def test_a_service_account_token_is_good_while_its_account_lives(api: Api) -> None:
    account = {"kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "demo"}}
    await api.admin.create("serviceaccounts", account)
    request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": {}}
    path = api.admin.path("serviceaccounts", "demo", "robot", "token")
    token = (await api.admin.request("POST", path, body=request))["status"]["token"]
    await grant(api, "view", subject={"kind": "ServiceAccount", "name": "robot", "namespace": "demo"})
    async with HttpClient(Access(api.url, token, api.ca_file)) as robot:
        review = {"kind": "SelfSubjectReview", "metadata": {}}
        who = await robot.create("selfsubjectreviews.authentication.k8s.io", review)
        assert who["status"]["userInfo"]["username"] == "system:serviceaccount:demo:robot"
        await robot.list("pods", "demo")
        await api.admin.delete("serviceaccounts", "robot", "demo")
        with pytest.raises(ApiError) as refused:
            await robot.list("pods", "demo")
    assert (refused.value.code, refused.value.details) == (401, None)


@pytest.mark.parametrize(
    ("token", "path", "code"),
    [
        ("", "/api/v1/namespaces", 403),
        ("", "/version", 200),
        ("", "/apis", 403),
        ("wrong", "/version", 401),
        ("wrong", "/nosuch", 401),
        ("a.b.c", "/version", 401),
    ],
)
async def test_anonymous_and_bad_tokens(api: Api, token: str, path: str, code: int) -> None:
    async with HttpClient(Access(api.url, token, api.ca_file)) as client, client.session.get(api.url + path) as answer:
        assert answer.status == code
        if code == 403:
            assert "system:anonymous" in (await answer.json())["message"]


async def test_a_registered_handler_is_behind_rbac(api: Api) -> None:
    seen: list[Any] = []

    async def console(call: HttpCall) -> web.StreamResponse:
        seen.append((call.user.name, call.info.namespace, call.info.name, call.info.parts))
        socket = web.WebSocketResponse(protocols=["plain.kubevirt.io"])
        await socket.prepare(call.request)
        await socket.send_bytes(b"login: ")
        await socket.close()
        return socket

    group = "subresources.kubevirt.io"
    api.server.handle(group, "virtualmachineinstances", "console", console)
    api.server.aggregated(group, ("v1", "v1alpha3"), ["virtualmachineinstances/console"])
    path = f"/apis/{group}/v1/namespaces/demo/virtualmachineinstances/vm/console/x/y"
    status, _, body = await api.raw("GET", f"/apis/{group}/v1")
    assert (status, body["resources"][0]["name"]) == (200, "virtualmachineinstances/console")
    async with api.alice.session.get(api.url + path) as refused:
        assert refused.status == 403
    assert seen == []
    async with api.admin.session.ws_connect(api.url + path, protocols=["plain.kubevirt.io"]) as websocket:
        assert websocket.protocol == "plain.kubevirt.io"
        assert await websocket.receive_bytes() == b"login: "
    assert seen == [("kubernetes-admin", "demo", "vm", ("x", "y"))]
