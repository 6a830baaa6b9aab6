# SPDX-License-Identifier: Apache-2.0
"""What the API promises, through the unmodified kubernetes client for Python, typed and dynamic."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kubernetes import client as typed_client
from kubernetes import config as typed_config
from kubernetes import dynamic as typed_dynamic
from kubernetes import watch as typed_watch
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import exceptions as typed_failures

from .harness import LiveApi, config_map, nad, virtual_machine

# The library's types describe objects; these tests send and read plain JSON through it.
client: Any = typed_client
config: Any = typed_config
dynamic: Any = typed_dynamic
failures: Any = typed_failures
watch: Any = typed_watch
VMS = ("kubevirt.io", "v1", "demo", "virtualmachines")
NADS = ("k8s.cni.cncf.io", "v1", "demo", "network-attachment-definitions")
APPLY = "application/apply-patch+yaml"


@pytest.fixture(scope="module")
def api_client(live: LiveApi) -> Iterator[Any]:
    with config.new_client_from_config(str(live.kubeconfig)) as found:
        yield found


@pytest.fixture(scope="module")
def core(api_client: Any) -> Any:
    return client.CoreV1Api(api_client)


@pytest.fixture(scope="module")
def objects(api_client: Any) -> Any:
    return client.CustomObjectsApi(api_client)


@pytest.fixture(scope="module")
def kinds(api_client: Any) -> Any:
    """NADs and VMs of the dynamic client."""
    found = dynamic.DynamicClient(api_client)
    nads = found.resources.get(api_version="k8s.cni.cncf.io/v1", kind="NetworkAttachmentDefinition")
    return nads, found.resources.get(api_version="kubevirt.io/v1", kind="VirtualMachine")


def refused(action: Callable[[], Any], code: int, reason: str) -> dict[str, Any]:
    with pytest.raises(ApiException) as caught:
        action()
    status: dict[str, Any] = json.loads(caught.value.body or "")
    assert (caught.value.status, status["kind"], status["reason"], status["code"]) == (code, "Status", reason, code)
    return status


def test_refusals_are_statuses(live: LiveApi, core: Any, objects: Any) -> None:
    stranger = client.Configuration(host=live.api.url)
    stranger.ssl_ca_cert = live.api.ca_file
    stranger.api_key = {"authorization": "Bearer wrong"}
    with client.ApiClient(stranger) as unknown:
        refused(lambda: client.CoreV1Api(unknown).list_namespace(), 401, "Unauthorized")
    with config.new_client_from_config(str(live.kubeconfig), context="alice") as alice:
        said = refused(lambda: client.CoreV1Api(alice).list_namespaced_pod("demo"), 403, "Forbidden")
        assert said["message"].startswith('pods is forbidden: User "alice" cannot list resource "pods"')
    refused(lambda: core.read_namespaced_config_map("none", "demo"), 404, "NotFound")
    core.create_namespaced_config_map("demo", config_map("twice"))
    refused(lambda: core.create_namespaced_config_map("demo", config_map("twice")), 409, "AlreadyExists")
    said = refused(lambda: core.create_namespaced_config_map("demo", config_map("Bad_Name")), 422, "Invalid")
    assert said["details"]["causes"][0]["field"] == "metadata.name"
    objects.create_namespaced_custom_object(*NADS, nad("strategic"))
    strategic = {"_content_type": "application/strategic-merge-patch+json"}
    change = {"metadata": {"labels": {"a": "b"}}}
    refused(
        lambda: objects.patch_namespaced_custom_object(*NADS, "strategic", change, **strategic),
        415,
        "UnsupportedMediaType",
    )


def test_a_method_that_nothing_takes(api_client: Any) -> None:
    with pytest.raises(failures.MethodNotAllowedError) as caught:
        dynamic.DynamicClient(api_client).request("delete", "/api/v1/pods")
    assert json.loads(caught.value.body)["reason"] == "MethodNotAllowed"


def test_pages_continue_as_they_began(core: Any, live: LiveApi) -> None:
    for number in range(5):
        live.create("configmaps", config_map(f"page{number}", labels={"pages": ""}))
    first = core.list_namespaced_config_map("demo", limit=2, label_selector="pages")
    core.delete_namespaced_config_map("page4", "demo")
    names = [item.metadata.name for item in first.items]
    token = first.metadata._continue
    while token:
        more = core.list_namespaced_config_map("demo", limit=2, label_selector="pages", _continue=token)
        names += [item.metadata.name for item in more.items]
        token = more.metadata._continue
    assert names == [f"page{number}" for number in range(5)]
    again = first.metadata._continue
    live.api.server.core.store.compact()
    said = refused(lambda: core.list_namespaced_config_map("demo", limit=2, _continue=again), 410, "Expired")
    assert said["metadata"]["continue"]


def test_dry_run_names_and_selectors(core: Any, objects: Any) -> None:
    dry = core.create_namespaced_config_map("demo", config_map("dry"), dry_run="All")
    assert (dry.metadata.name, dry.metadata.resource_version) == ("dry", None)
    refused(lambda: core.read_namespaced_config_map("dry", "demo"), 404, "NotFound")
    body = {**config_map("", labels={"made": "so"}), "metadata": {"generateName": "gen-", "labels": {"made": "so"}}}
    made = core.create_namespaced_config_map("demo", body)
    assert made.metadata.name.startswith("gen-")
    assert len(made.metadata.name) == len("gen-") + 5
    chosen = core.list_namespaced_config_map("demo", label_selector="made in (so, not)").items
    assert [item.metadata.name for item in chosen] == [made.metadata.name]
    by_field = core.list_namespaced_config_map("demo", field_selector=f"metadata.name={made.metadata.name}").items
    assert len(by_field) == 1
    with pytest.raises(ApiException) as caught:
        objects.list_namespaced_custom_object(*VMS, field_selector="status.printableStatus=Running")
    assert caught.value.status == 400


def test_server_side_apply_and_conflicts(core: Any) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"k": "1"}}

    def apply(manager: str, value: str, **options: Any) -> Any:
        changed = {**body, "data": {"k": value}}
        return core.patch_namespaced_config_map(
            "applied", "demo", changed, field_manager=manager, _content_type=APPLY, **options
        )

    assert apply("alpha", "1").metadata.managed_fields[0].manager == "alpha"
    said = refused(lambda: apply("beta", "2"), 409, "Conflict")
    cause = said["details"]["causes"][0]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".data.k")
    assert apply("beta", "2", force=True).data == {"k": "2"}


def test_status_is_apart(objects: Any) -> None:
    objects.create_namespaced_custom_object(*VMS, virtual_machine("apart"))
    both = {"spec": {"runStrategy": "Always"}, "status": {"printableStatus": "Made up"}}
    patched = objects.patch_namespaced_custom_object(*VMS, "apart", both)
    assert (patched["spec"]["runStrategy"], patched.get("status"), patched["metadata"]["generation"]) == (
        "Always",
        None,
        2,
    )
    shown = objects.patch_namespaced_custom_object_status(
        *VMS, "apart", {"spec": {"runStrategy": "Halted"}, "status": {"printableStatus": "Stopped"}}
    )
    assert (shown["spec"]["runStrategy"], shown["status"]["printableStatus"], shown["metadata"]["generation"]) == (
        "Always",
        "Stopped",
        2,
    )


def test_finalizers_and_propagation(core: Any, live: LiveApi) -> None:
    held = core.create_namespaced_config_map("demo", config_map("held", finalizers=["example.com/hold"]))
    going = core.delete_namespaced_config_map("held", "demo")
    assert core.read_namespaced_config_map("held", "demo").metadata.deletion_timestamp
    assert going is not None
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "held", "uid": held.metadata.uid}
    live.create("configmaps", config_map("dependent", ownerReferences=[owner]))
    since = core.list_namespaced_config_map("demo").metadata.resource_version
    core.patch_namespaced_config_map("held", "demo", {"metadata": {"finalizers": None}})
    gone = []
    for event in watch.Watch().stream(
        core.list_namespaced_config_map, "demo", resource_version=since, timeout_seconds=10
    ):
        gone += [event["object"].metadata.name] if event["type"] == "DELETED" else []
        if "dependent" in gone:
            break
    assert gone == ["held", "dependent"]


def test_a_watch_that_begins_with_everything(core: Any, live: LiveApi) -> None:
    live.create("configmaps", config_map("there", labels={"initial": ""}))
    stream = watch.Watch().stream(
        core.list_namespaced_config_map,
        "demo",
        label_selector="initial",
        send_initial_events=True,
        resource_version_match="NotOlderThan",
        allow_watch_bookmarks=True,
        timeout_seconds=1,
    )
    events = list(stream)
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    assert events[1]["raw_object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


@pytest.mark.parametrize("form", ["Table", "PartialObjectMetadataList"])
def test_other_forms_of_a_list(api_client: Any, form: str) -> None:
    accept = {"Accept": f"application/json;as={form};v=v1;g=meta.k8s.io"}
    path = "/apis/kubevirt.io/v1/namespaces/demo/virtualmachines"
    answer = dynamic.DynamicClient(api_client).request("get", path, header_params=accept, serialize=False)
    assert json.loads(answer.data)["kind"] == form


def test_the_dynamic_client_patches_and_conflicts(kinds: Any, live: LiveApi) -> None:
    nads, vms = kinds
    nads.create(body=nad("dyn"), namespace="demo")
    stale = nads.get(name="dyn", namespace="demo").to_dict()
    merge = {"content_type": "application/merge-patch+json"}
    changed = nads.patch(name="dyn", namespace="demo", body={"spec": {"config": "{}"}}, **merge)
    assert changed.metadata.generation == 2
    with pytest.raises(failures.ConflictError):
        nads.replace(name="dyn", namespace="demo", body=stale)
    with pytest.raises(failures.NotFoundError):
        nads.get(name="none", namespace="demo")
    with pytest.raises(failures.UnprocessibleEntityError):
        nads.create(body=nad("Bad_Name"), namespace="demo")
    vms.create(body=virtual_machine("dyn"), namespace="demo")
    path = "/spec/template/spec/networks/1/multus/networkName"
    swap = [{"op": "test", "path": path, "value": "nad-a"}, {"op": "replace", "path": path, "value": "nad-b"}]
    json_patch = {"content_type": "application/json-patch+json"}
    moved = vms.patch(name="dyn", namespace="demo", body=swap, **json_patch)
    assert moved.spec.template.spec.networks[1].multus.networkName == "nad-b"
    with pytest.raises(failures.UnprocessibleEntityError):
        vms.patch(name="dyn", namespace="demo", body=swap, **json_patch)
    shown = vms.status.patch(name="dyn", namespace="demo", body={"status": {"printableStatus": "Stopped"}}, **merge)
    assert (shown.status.printableStatus, shown.metadata.generation) == ("Stopped", 2)
    assert live.api.server.core.store.rv >= int(shown.metadata.resourceVersion)


def test_the_dynamic_client_applies_watches_and_deletes(kinds: Any) -> None:
    nads, _ = kinds
    whole = {"name": "owned", "namespace": "demo", "field_manager": "alpha"}
    nads.server_side_apply(body=nad("owned"), **whole)
    other = {**nad("owned"), "spec": {"config": "{}"}}
    with pytest.raises(failures.ConflictError):
        nads.server_side_apply(body=other, **{**whole, "field_manager": "beta"})
    since = nads.get(namespace="demo", label_selector="none=such").metadata.resourceVersion
    nads.server_side_apply(body=other, **{**whole, "field_manager": "beta"}, force_conflicts=True)
    nads.delete(name="owned", namespace="demo", body={"propagationPolicy": "Background"})
    seen = []
    for event in nads.watch(namespace="demo", resource_version=since, timeout=5, field_selector="metadata.name=owned"):
        seen.append(event["type"])
        if event["type"] == "DELETED":
            break
    assert seen == ["MODIFIED", "DELETED"]
