# SPDX-License-Identifier: Apache-2.0
"""Each suite of docs/examples runs green on an embedded cluster, and destroys nothing that it did not create."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from robot.api import ExecutionResult
from robot.libdoc import LibraryDocumentation
from robot.running import TestSuite as Suite

from tests.embedded import ROOT, RobotRun, embedded_cluster, run_robot

from .cluster import Api, Object

EXAMPLES = ROOT / "docs" / "examples"
HOME = "team-a"
VMS = f"/apis/kubevirt.io/v1/namespaces/{HOME}/virtualmachines"
VMIS = f"/apis/kubevirt.io/v1/namespaces/{HOME}/virtualmachineinstances"
NADS = f"/apis/k8s.cni.cncf.io/v1/namespaces/{HOME}/network-attachment-definitions"
COLLECTIONS = {
    "Namespace": "/api/v1/namespaces",
    "NetworkAttachmentDefinition": NADS,
    "VirtualMachine": VMS,
    "Secret": f"/api/v1/namespaces/{HOME}/secrets",
}
FOREIGN: Object = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "web-cloud-init", "namespace": HOME},
    "stringData": {"userdata": "not of any run"},
}
"""Named as a run would name what it makes for a VM ``web`` of its own."""


@dataclass(frozen=True)
class Examples:
    """One run of all examples, and the shared namespace before and after it."""

    run: RobotRun
    before: dict[str, list[Object]]
    after: dict[str, list[Object]]
    namespaces: list[Object]


def contents(api: Api) -> dict[str, list[Object]]:
    paths = [path for kind, path in COLLECTIONS.items() if kind != "Namespace"] + [VMIS]
    return {path: api.items(path) for path in paths}


def await_running(api: Api, name: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [item for item in api.items(VMIS) if item["metadata"]["name"] == name]
        conditions: list[Any] = found[0].get("status", {}).get("conditions", []) if found else []
        if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
            return
        time.sleep(0.5)
    pytest.fail(f"VM {name} does not run")


pytestmark = pytest.mark.timeout(360)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examples]:
    folder = tmp_path_factory.mktemp("examples")
    with embedded_cluster(folder) as kubeconfig:
        api = Api(kubeconfig)
        documents = list(yaml.safe_load_all((EXAMPLES / "existing-vm.yaml").read_text(encoding="utf-8")))
        bystander = {**documents[-1], "metadata": {"name": "web-2", "namespace": HOME}}
        bystander["spec"] = {**bystander["spec"], "runStrategy": "Halted"}
        for document in (*documents, bystander, FOREIGN):
            api.create(COLLECTIONS[document["kind"]], document)
        await_running(api, "web")
        before = contents(api)
        run = run_robot(folder / "results", "--variable", f"KUBECONFIG:{kubeconfig}", suites=EXAMPLES, timeout=300)
        yield Examples(run, before, contents(api), api.items(COLLECTIONS["Namespace"]))


def test_examples_are_green(examples: Examples) -> None:
    found = {f"{one.suite}: {name}": f"{one.verdict.name} {one.message}" for name, one in examples.run.outcomes.items()}
    assert len(found) >= len(list(EXAMPLES.glob("*.robot")))
    assert set(found.values()) == {"PASS "}, found


def test_examples_warn_of_nothing(examples: Examples) -> None:
    result = ExecutionResult(str(examples.run.folder / "output.xml"))
    assert [message.message for message in result.errors.messages] == []


def test_nothing_is_destroyed_that_was_there(examples: Examples) -> None:
    """Each object of the shared namespace is there, is the same one, and only what was asked for was edited."""
    assert {item["metadata"]["name"] for item in examples.before[VMIS]} == {"web"}
    for path, before in examples.before.items():
        after = {one["metadata"]["name"]: one for one in examples.after[path]}
        for item in before:
            kept = after.pop(item["metadata"]["name"])
            assert kept["metadata"]["uid"] == item["metadata"]["uid"], path
            assert path == VMIS or lasting(kept) == lasting(item), path
        assert not after, f"left in {path}"


def test_the_namespaces_of_the_run_are_gone(examples: Examples) -> None:
    names = [item["metadata"]["name"] for item in examples.namespaces]
    assert HOME in names
    assert not [name for name in names if name.startswith("nad-swap-")]


def lasting(item: Object) -> Object:
    """What of an object a change of its network and back leaves as it was."""
    metadata = item["metadata"]
    kept = {key: metadata.get(key) for key in ("labels", "annotations", "finalizers", "ownerReferences")}
    return {"metadata": kept, "spec": item.get("spec"), "data": item.get("data")}


@pytest.mark.nightly
def test_examples_fail_on_a_cluster_that_is_broken(tmp_path: Path) -> None:
    """A VM that is left alone is migrated, and a VM that changes its network stays on the old one."""
    defects = ["--defect", "bystanders-are-migrated", "--defect", "data-plane-keeps-old-network"]
    chosen = ["--suite", "VM Left Alone", "--suite", "Silence Of Two VMs"]
    messages = {
        name: one.message
        for name, one in run_robot(tmp_path, *chosen, cluster=defects, suites=EXAMPLES).outcomes.items()
    }
    assert "expected no migration since it was first seen running; there is " in messages["Bystander Is Not Migrated"]
    silence = messages["VM Is Silent To Its Peer After The Change"]
    assert "should be silent to each other for 5.0 s; answers came: ICMP demo" in silence


def test_the_foreign_suite_uses_documented_keywords_only() -> None:
    """Those of the reference: the libraries', and those of the resource that comes with them. It has 20 lines."""
    file = EXAMPLES / "hot_unplug_and_migration.robot"
    documented = {
        keyword.name: len(keyword.doc)
        for library in ("KubeVirtLibrary", "GuestLibrary", "KubeVirtLibrary/scenario.resource")
        for keyword in LibraryDocumentation(str(ROOT / "libraries" / library)).keywords
    }
    suite: Any = Suite.from_file_system(file)
    assert not suite.resource.keywords
    steps = {step.name for test in suite.tests for step in test.body}
    assert steps <= set(documented)
    assert all(documented[name] > 80 for name in steps)
    lines = [
        line for line in file.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")
    ]
    assert len(lines) <= 20
