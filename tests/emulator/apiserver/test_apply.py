# SPDX-License-Identifier: Apache-2.0
"""Server-side apply and who owns which field."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.kube.errors import ApiError
from emulator.kube.http import APPLY_PATCH

from .harness import Api, virtual_machine

VMS = "virtualmachines.kubevirt.io"


async def apply(api: Api, manager: str, data: dict[str, str], *, force: bool = False) -> Any:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ap"}, "data": data}
    return await send(api, "configmaps", "ap", body, manager, force=force)


async def send(api: Api, resource: str, name: str, body: Any, manager: str, *, force: bool = False) -> Any:
    query = {"fieldManager": manager, "force": "true" if force else "false"}
    path = api.admin.path(resource, "demo", name)
    return await api.admin.request("PATCH", path, body=body, content_type=APPLY_PATCH, query=query)


def owners(obj: Any) -> dict[str, Any]:
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"]["managedFields"]}


async def test_fields_have_owners_and_conflicts_name_them(api: Api) -> None:
    made = await apply(api, "alpha", {"k": "1", "only-alpha": "x"})
    assert owners(made) == {"alpha": {"f:data": {"f:k": {}, "f:only-alpha": {}}}}
    again = await apply(api, "alpha", {"k": "1", "only-alpha": "x"})
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    shared = await apply(api, "beta", {"k": "1", "only-beta": "y"})
    assert owners(shared)["beta"] == {"f:data": {"f:k": {}, "f:only-beta": {}}}
    with pytest.raises(ApiError) as refused:
        await apply(api, "beta", {"k": "2", "only-beta": "y"})
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "alpha": .data.k'
    forced = await apply(api, "beta", {"k": "2", "only-beta": "y"}, force=True)
    assert owners(forced)["alpha"] == {"f:data": {"f:only-alpha": {}}}
    dropped = await apply(api, "beta", {"k": "2"})
    assert dropped["data"] == {"k": "2", "only-alpha": "x"}


async def test_an_update_takes_fields_over(api: Api) -> None:
    await apply(api, "alpha", {"k": "1", "other": "x"})
    await api.admin.patch("configmaps", "ap", "demo", {"data": {"k": "edited"}})
    with pytest.raises(ApiError) as refused:
        await apply(api, "alpha", {"k": "1", "other": "y"})
    assert refused.value.message == 'Apply failed with 1 conflict: conflict with "test" using v1: .data.k'
    with pytest.raises(ApiError) as refused:
        await apply(api, "beta", {"k": "1", "other": "y"})
    assert refused.value.message.startswith("Apply failed with 2 conflicts: ")


async def test_the_networks_of_a_vm_are_one_field(api: Api) -> None:
    vm = virtual_machine("vm")
    await send(api, VMS, "vm", vm, "alpha")
    vm["spec"]["template"]["spec"]["networks"][1]["multus"]["networkName"] = "nad-b"
    with pytest.raises(ApiError) as refused:
        await send(api, VMS, "vm", vm, "beta")
    assert refused.value.details == {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "alpha"',
                "field": ".spec.template.spec.networks",
            }
        ]
    }
    forced = await send(api, VMS, "vm", vm, "beta", force=True)
    assert forced["spec"]["template"]["spec"]["networks"][1]["multus"]["networkName"] == "nad-b"
    assert forced["metadata"]["generation"] == 2


async def test_containers_are_merged_by_name(api: Api) -> None:
    def body(*names: str) -> dict[str, Any]:
        containers = [{"name": name, "image": "registry.example/pause:1"} for name in names]
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers}}

    await send(api, "pods", "p", body("one"), "alpha")
    change = body("one")
    change["spec"]["containers"][0]["image"] = "registry.example/pause:2"
    with pytest.raises(ApiError) as refused:
        await send(api, "pods", "p", change, "beta")
    assert '.spec.containers[name="one"].image' in refused.value.message


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"metadata": {"name": "ap"}}, 400, "invalid object type: /, Kind="),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other"}},
            400,
            "the name of the object (other) does not match the name on the URL (ap)",
        ),
        (
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ap"}, "nosuch": 1},
            500,
            "failed to create typed patch object (/ap; /v1, Kind=ConfigMap): .nosuch: field not declared in schema",
        ),
    ],
)
async def test_bad_bodies(api: Api, body: dict[str, Any], code: int, said: str) -> None:
    with pytest.raises(ApiError) as refused:
        await send(api, "configmaps", "ap", body, "alpha")
    assert (refused.value.code, refused.value.message) == (code, said)
