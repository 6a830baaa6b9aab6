# SPDX-License-Identifier: Apache-2.0
"""The unmodified kubernetes client for Python, typed and dynamic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client as typed_client
from kubernetes import config as typed_config
from kubernetes import dynamic as typed_dynamic
from kubernetes import watch as typed_watch
from kubernetes.client.exceptions import ApiException

from .harness import LiveApi, config_map, nad, virtual_machine

# The library's types describe objects; these tests send and read plain JSON through it.
client: Any = typed_client
config: Any = typed_config
dynamic: Any = typed_dynamic
watch: Any = typed_watch


@pytest.fixture(scope="module")
def api_client(live: LiveApi) -> Iterator[Any]:
    found = config.new_client_from_config(str(live.kubeconfig))
    with found:
        yield found


def test_typed_objects(api_client: Any) -> None:
    core = client.CoreV1Api(api_client)
    made = core.create_namespaced_config_map("demo", config_map("typed"))
    assert made.data == {"k": "v"}
    made.data = {"k": "2"}
    assert core.replace_namespaced_config_map("typed", "demo", made).data == {"k": "2"}
    with pytest.raises(ApiException) as refused:
        core.replace_namespaced_config_map("typed", "demo", made)
    assert refused.value.status == 409
    patched = core.patch_namespaced_config_map("typed", "demo", {"metadata": {"labels": {"a": "b"}}})
    assert patched.metadata.labels == {"a": "b"}
    listed = core.list_namespaced_config_map("demo", label_selector="a=b").items
    assert [item.metadata.name for item in listed] == ["typed"]
    core.delete_namespaced_config_map("typed", "demo")
    with pytest.raises(ApiException) as refused:
        core.read_namespaced_config_map("typed", "demo")
    assert refused.value.status == 404


def test_custom_objects_with_both_patches(api_client: Any) -> None:
    objects = client.CustomObjectsApi(api_client)
    where = ("kubevirt.io", "v1", "demo", "virtualmachines")
    objects.create_namespaced_custom_object(*where, virtual_machine("vm"))
    merged = objects.patch_namespaced_custom_object(*where, "vm", {"spec": {"runStrategy": "Always"}})
    assert merged["spec"]["runStrategy"] == "Always"
    change = [{"op": "replace", "path": "/spec/runStrategy", "value": "Halted"}]
    patched = objects.patch_namespaced_custom_object(*where, "vm", change, _content_type="application/json-patch+json")
    assert patched["spec"]["runStrategy"] == "Halted"
    with pytest.raises(ApiException) as refused:
        objects.patch_namespaced_custom_object(*where, "vm", change)
    assert refused.value.status == 400
    objects.delete_namespaced_custom_object(*where, "vm")


def test_the_dynamic_client(api_client: Any) -> None:
    found = dynamic.DynamicClient(api_client)
    nads = found.resources.get(api_version="k8s.cni.cncf.io/v1", kind="NetworkAttachmentDefinition")
    nads.create(body=nad("dynamic"), namespace="demo")
    assert nads.get(name="dynamic", namespace="demo").metadata.generation == 1
    applied = nads.server_side_apply(
        body=nad("dynamic"), name="dynamic", namespace="demo", field_manager="tests", force_conflicts=True
    )
    assert applied.metadata.name == "dynamic"
    nads.delete(name="dynamic", namespace="demo")
    assert not found.resources.get(api_version="v1", kind="Pod").get(namespace="demo").items


def test_a_watch_with_bookmarks(api_client: Any, live: LiveApi) -> None:
    core = client.CoreV1Api(api_client)
    since = core.list_namespaced_config_map("demo").metadata.resource_version
    live.create("configmaps", config_map("watched"))
    core.delete_namespaced_config_map("watched", "demo")
    stream = watch.Watch().stream(
        core.list_namespaced_config_map,
        "demo",
        resource_version=since,
        allow_watch_bookmarks=True,
        timeout_seconds=2,
    )
    assert [event["type"] for event in stream] == ["ADDED", "DELETED", "BOOKMARK"]


def test_a_watch_from_too_long_ago(api_client: Any) -> None:
    core = client.CoreV1Api(api_client)
    with pytest.raises(ApiException) as refused:
        list(watch.Watch().stream(core.list_namespaced_config_map, "demo", resource_version="1", timeout_seconds=5))
    assert refused.value.status == 410
