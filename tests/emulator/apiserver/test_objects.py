# SPDX-License-Identifier: Apache-2.0
"""Creating, replacing and patching objects."""

from __future__ import annotations

import asyncio

import pytest

from emulator.apiserver.admission import AdmissionRequest
from emulator.kube.errors import ApiError

from .harness import Api, config_map, nad, pod, virtual_machine

VMS = "virtualmachines.kubevirt.io"
NADS = "network-attachment-definitions.k8s.cni.cncf.io"


async def test_generated_names_differ_and_keep_their_prefix(api: Api) -> None:
    body = {"kind": "ConfigMap", "metadata": {"generateName": "gen-", "namespace": "demo"}}
    names = {(await api.admin.create("configmaps", body))["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("gen-") and len(name) == 9 for name in names)


async def test_stale_replace_is_a_conflict(api: Api) -> None:
    first = await api.admin.create("configmaps", config_map("c"))
    await api.admin.replace("configmaps", {**first, "data": {"k": "2"}})
    with pytest.raises(ApiError) as refused:
        await api.admin.replace("configmaps", {**first, "data": {"k": "3"}})
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    assert "the object has been modified" in refused.value.message


async def test_a_write_that_changes_nothing_keeps_the_resource_version(api: Api) -> None:
    first = await api.admin.create("configmaps", config_map("c"))
    again = await api.admin.patch("configmaps", "c", "demo", {"data": {"k": "v"}})
    replaced = await api.admin.replace("configmaps", first)
    versions = {obj["metadata"]["resourceVersion"] for obj in (first, again, replaced)}
    assert len(versions) == 1


async def test_status_subresource_is_isolated_both_ways(api: Api) -> None:
    made = await api.admin.create(VMS, {**virtual_machine("vm"), "status": {"printableStatus": "Running"}})
    assert "status" not in made
    patched = await api.admin.patch(VMS, "vm", "demo", {"status": {"ready": True}})
    assert "status" not in patched
    change = {"status": {"ready": True}, "spec": {"runStrategy": "Always"}, "metadata": {"labels": {"a": "b"}}}
    patched = await api.admin.patch(VMS, "vm", "demo", change, subresource="status")
    assert patched["status"] == {"ready": True}
    assert patched["spec"]["runStrategy"] == "Halted"
    assert "labels" not in patched["metadata"]
    assert patched["metadata"]["generation"] == 1
    patched = await api.admin.patch(VMS, "vm", "demo", {"spec": {"runStrategy": "Always"}})
    assert patched["metadata"]["generation"] == 2
    assert patched["status"] == {"ready": True}


async def test_without_status_subresource_status_is_data(api: Api) -> None:
    await api.admin.create(NADS, nad("n"))
    patched = await api.admin.patch(NADS, "n", "demo", {"status": {"x": 1}})
    assert (patched["status"], patched["metadata"]["generation"]) == ({"x": 1}, 2)
    with pytest.raises(ApiError) as refused:
        await api.admin.patch(NADS, "n", "demo", {"status": {"x": 2}}, subresource="status")
    assert refused.value.message == 'network-attachment-definitions.k8s.cni.cncf.io "n" not found'


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([{"op": "replace", "path": "/data/absent", "value": "x"}], 0),
        ([{"op": "test", "path": "/data/absent", "value": None}], 0),
        ([{"op": "test", "path": "/data/k", "value": "v"}, {"op": "remove", "path": "/data/k"}], 0),
        ([{"op": "remove", "path": "/data/absent"}], 422),
        ([{"op": "test", "path": "/data/k", "value": "other"}], 422),
        ([{"op": "add", "path": "/metadata/annotations/x", "value": "y"}], 422),
        ([{"op": "frob", "path": "/data/k"}], 422),
        ([{"op": "test", "path": "/data/k", "value": "v"}] * 10001, 413),
    ],
)
async def test_json_patch(api: Api, operations: list[dict[str, object]], code: int) -> None:
    await api.admin.create("configmaps", config_map("c"))
    if not code:
        await api.admin.patch("configmaps", "c", "demo", operations)
        return
    with pytest.raises(ApiError) as refused:
        await api.admin.patch("configmaps", "c", "demo", operations)
    assert refused.value.code == code


async def test_merge_patch_replaces_lists_of_a_vm(api: Api) -> None:
    await api.admin.create(VMS, virtual_machine("vm"))
    networks = [{"name": "default", "pod": {}}, {"name": "net1", "multus": {"networkName": "nad-b"}}]
    patched = await api.admin.patch(VMS, "vm", "demo", {"spec": {"template": {"spec": {"networks": networks}}}})
    assert patched["spec"]["template"]["spec"]["networks"] == networks
    assert patched["spec"]["template"]["spec"]["domain"]["devices"]["interfaces"][0]["name"] == "default"


async def test_strategic_merge_is_for_built_in_kinds_only(api: Api) -> None:
    await api.admin.create("pods", pod("p"))
    await api.admin.create(VMS, virtual_machine("vm"))
    patch = {"spec": {"containers": [{"name": "c", "image": "registry.example/pause:2"}]}}
    kind = "application/strategic-merge-patch+json"
    merged = await api.admin.request("PATCH", api.admin.path("pods", "demo", "p"), body=patch, content_type=kind)
    container = merged["spec"]["containers"][0]
    assert container["image"] == "registry.example/pause:2"
    assert container["terminationMessagePath"] == "/dev/termination-log"
    with pytest.raises(ApiError) as refused:
        await api.admin.request("PATCH", api.admin.path(VMS, "demo", "vm"), body={}, content_type=kind)
    assert (refused.value.code, refused.value.details) == (415, None)


async def test_dry_run_stores_nothing(api: Api) -> None:
    path = api.admin.path("configmaps", "demo")
    made = await api.admin.request("POST", path, body=config_map("dry"), query={"dryRun": "All"})
    assert "resourceVersion" not in made["metadata"]
    with pytest.raises(ApiError) as refused:
        await api.admin.get("configmaps", "dry", "demo")
    assert refused.value.code == 404


async def test_unknown_fields_are_pruned_with_a_warning_or_refused(api: Api) -> None:
    body = {**config_map("c"), "nosuch": 1}
    async with api.admin.session.post(api.url + "/api/v1/namespaces/demo/configmaps", json=body) as response:
        assert response.headers.getall("Warning") == ['299 - "unknown field \\"nosuch\\""']
        assert "nosuch" not in await response.json()
    with pytest.raises(ApiError) as refused:
        await api.admin.request(
            "POST",
            api.admin.path("configmaps", "demo"),
            body={**body, "metadata": {"name": "d"}},
            query={"fieldValidation": "Strict"},
        )
    assert refused.value.code == 400
    assert 'strict decoding error: unknown field "nosuch"' in refused.value.message


async def test_concurrent_patches_without_a_version_all_land(api: Api) -> None:
    await api.admin.create("configmaps", config_map("c"))
    await asyncio.gather(*(api.admin.patch("configmaps", "c", "demo", {"data": {f"k{i}": "x"}}) for i in range(20)))
    found = await api.admin.get("configmaps", "c", "demo")
    assert len(found["data"]) == 21


async def test_admission_changes_refuses_and_warns(api: Api) -> None:
    seen: list[tuple[str, str]] = []

    async def mutate(request: AdmissionRequest) -> None:
        assert request.new is not None
        request.new["metadata"].setdefault("annotations", {})["seen-by"] = request.user.name
        request.warn("mutated")

    async def validate(request: AdmissionRequest) -> None:
        seen.append((request.operation, request.name))
        if (request.new or {}).get("spec", {}).get("runStrategy") == "Bogus":
            raise ApiError(422, "Invalid", "denied", {"causes": []})

    api.server.admission.mutating(VMS, ("CREATE",), mutate)
    api.server.admission.validating(VMS, ("CREATE", "UPDATE", "DELETE"), validate)
    async with api.admin.session.post(api.url + api.admin.path(VMS, "demo"), json=virtual_machine("vm")) as response:
        assert response.headers["Warning"] == '299 - "mutated"'
        made = await response.json()
    assert made["metadata"]["annotations"]["seen-by"] == "kubernetes-admin"
    with pytest.raises(ApiError, match="denied"):
        await api.admin.patch(VMS, "vm", "demo", {"spec": {"runStrategy": "Bogus"}})
    await api.admin.delete(VMS, "vm", "demo")
    assert seen == [("CREATE", "vm"), ("UPDATE", "vm"), ("DELETE", "vm")]


async def test_events_have_two_shapes_of_one_object(api: Api) -> None:
    event = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "demo"},
        "regarding": {"kind": "ConfigMap", "name": "c", "namespace": "demo"},
        "reason": "Tried",
        "note": "hello",
        "type": "Normal",
        "reportingController": "test",
    }
    await api.admin.create("events.events.k8s.io", event)
    core = await api.admin.get("events", "e", "demo")
    assert (core["message"], core["involvedObject"]["name"], core["apiVersion"]) == ("hello", "c", "v1")
    items, _ = await api.admin.list("events", "demo", fields="involvedObject.name=c,reason=Tried")
    assert [item["metadata"]["name"] for item in items] == ["e"]
