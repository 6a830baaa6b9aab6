# SPDX-License-Identifier: Apache-2.0
"""Unknown fields, types and enums of KubeVirt's custom resources."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.kube.errors import ApiError

from .harness import Api, virtual_machine

VMS = "virtualmachines.kubevirt.io"
KUBEVIRTS = "kubevirts.kubevirt.io"


def with_unknown_fields(name: str) -> dict[str, Any]:
    vm = virtual_machine(name)
    vm["spec"]["nosuch"] = 1
    vm["spec"]["template"]["spec"]["networks"][1]["multus"]["foo"] = "x"
    return vm


async def test_unknown_fields_are_named_and_dropped(api: Api) -> None:
    async with api.admin.session.post(api.url + api.admin.path(VMS, "demo"), json=with_unknown_fields("vm")) as answer:
        assert answer.status == 201
        assert answer.headers.getall("Warning") == [
            '299 - "unknown field \\"spec.nosuch\\""',
            '299 - "unknown field \\"spec.template.spec.networks[1].multus.foo\\""',
        ]
        made = await answer.json()
    assert made["spec"] == virtual_machine("vm")["spec"]


async def test_strict_validation_refuses_them(api: Api) -> None:
    path, query = api.admin.path(VMS, "demo"), {"fieldValidation": "Strict"}
    with pytest.raises(ApiError) as refused:
        await api.admin.request("POST", path, body=with_unknown_fields("vm"), query=query)
    assert refused.value.message == (
        'VirtualMachine in version "v1" cannot be handled as a VirtualMachine: strict decoding error: '
        'unknown field "spec.nosuch", unknown field "spec.template.spec.networks[1].multus.foo"'
    )
    await api.admin.create(VMS, virtual_machine("vm"))
    merge = "application/merge-patch+json"
    with pytest.raises(ApiError) as refused:
        await api.admin.request("PATCH", f"{path}/vm", body={"spec": {"nosuch": 1}}, content_type=merge, query=query)
    assert refused.value.code == 422
    assert refused.value.message.startswith(
        ' "" is invalid: patch: Invalid value: "{\\"apiVersion\\":\\"kubevirt.io/v1\\"'
    )
    assert refused.value.message.endswith('}": strict decoding error: unknown field "spec.nosuch"')


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        (
            {"vmRolloutStrategy": "Bogus"},
            'spec.configuration.vmRolloutStrategy: Unsupported value: "Bogus": supported values: "Stage", "LiveUpdate"',
        ),
        (
            {"migrations": {"parallelMigrationsPerCluster": "many"}},
            'spec.configuration.migrations.parallelMigrationsPerCluster: Invalid value: "string": '
            'spec.configuration.migrations.parallelMigrationsPerCluster in body must be of type integer: "string"',
        ),
    ],
)
async def test_the_kubevirt_resource_is_checked(api: Api, configuration: dict[str, Any], said: str) -> None:
    kubevirt = {"kind": "KubeVirt", "metadata": {"name": "kubevirt", "namespace": "demo"}, "spec": {}}
    await api.admin.create(KUBEVIRTS, kubevirt)
    with pytest.raises(ApiError) as refused:
        await api.admin.patch(KUBEVIRTS, "kubevirt", "demo", {"spec": {"configuration": configuration}})
    assert refused.value.message == f'KubeVirt.kubevirt.io "kubevirt" is invalid: {said}'


async def test_definitions_of_custom_resources_can_be_read(api: Api) -> None:
    found, _ = await api.admin.list("customresourcedefinitions.apiextensions.k8s.io")
    names = {definition["metadata"]["name"] for definition in found}
    assert {VMS, KUBEVIRTS, "network-attachment-definitions.k8s.cni.cncf.io"} <= names
    conditions = {c["type"]: c["status"] for c in found[0]["status"]["conditions"]}
    assert conditions["Established"] == "True"
