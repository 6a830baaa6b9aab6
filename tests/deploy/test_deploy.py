# SPDX-License-Identifier: Apache-2.0
"""Image, Job, Task and workflow: their schemas, their scripts, and the entry point as a pod would run it."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client
from KubeVirtLibrary import __version__

from testplan.results import read_results
from tests.acceptance.cluster import Api
from tests.embedded import ROOT, embedded_cluster
from tests.rbac.lanes import account_kubeconfig
from tests.rbac.roles import read_roles

DEPLOY = ROOT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
HOME = "team-a"
UID = 1000730000
"""Such as OpenShift gives to pods."""

Object = dict[str, Any]
KINDS = {"ServiceAccount": "V1ServiceAccount", "PersistentVolumeClaim": "V1PersistentVolumeClaim", "Job": "V1Job"}


def documents(name: str) -> list[Object]:
    return [item for item in yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8")) if item]


def job() -> Object:
    return next(item for item in documents("job.yaml") if item["kind"] == "Job")


def container() -> Object:
    found: Object = job()["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("item", documents("job.yaml"), ids=lambda item: str(item["kind"]))
def test_manifest_is_what_the_api_knows(item: Object) -> None:
    """A field that the API does not know gets lost on the way through its model."""

    api: Any = client.ApiClient()
    model = api.deserialize(json.dumps(item), KINDS[item["kind"]], "application/json")
    assert api.sanitize_for_serialization(model) == item


def test_job_runs_as_the_account_that_the_roles_are_bound_to() -> None:
    names = {item["kind"]: item["metadata"]["name"] for item in documents("job.yaml")}
    assert job()["spec"]["template"]["spec"]["serviceAccountName"] == names["ServiceAccount"]
    role, binding = yaml.safe_load_all((ROOT / "docs/rbac/runner.yaml").read_text(encoding="utf-8"))
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": names["ServiceAccount"], "namespace": HOME}]
    assert {item["metadata"]["namespace"] for item in [role, *documents("job.yaml")]} == {HOME}


def test_job_may_do_nothing_that_a_guarded_namespace_forbids() -> None:
    """The pod security standard "restricted", and a root filesystem that is not written."""
    pod, inside = job()["spec"]["template"]["spec"], container()["securityContext"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert inside == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {mount["mountPath"] for mount in container()["volumeMounts"]} == {"/results", "/tmp"}  # noqa: S108


def copied() -> list[str]:
    """What the image holds of this folder."""
    lines = re.findall(r"^COPY (.+) \S+$", CONTAINERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()]


def test_image_runs_as_nobody_in_particular_and_holds_no_secret() -> None:
    (user,) = re.findall(r"^USER (\S+)$", CONTAINERFILE, re.MULTILINE)
    assert re.fullmatch(r"[1-9]\d*:0", user)
    assert not re.search(r"^(ADD|ARG)\b|password|token|secret", CONTAINERFILE, re.MULTILINE | re.IGNORECASE)
    ignored = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    assert sorted(line[1:] for line in ignored if line.startswith("!")) == sorted(copied())
    assert "emulator" not in copied()


def image(folder: Path) -> Path:
    """The image's folder, with the environment that its build would make."""
    place = folder / "image"
    place.mkdir()
    for name in copied():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / name)
    (place / ".venv").symlink_to((ROOT / ".venv").resolve())
    return place


def pod(folder: Path, kubeconfig: Path, token: str) -> Path:
    """What a kubelet mounts for a service account."""
    entry = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]
    account = folder / "serviceaccount"
    account.mkdir()
    (account / "token").write_text(token, encoding="utf-8")
    (account / "namespace").write_text(HOME, encoding="utf-8")
    (account / "ca.crt").write_bytes(base64.b64decode(entry["certificate-authority-data"]))
    return account


# Its own mounts, then a user that owns nothing and may do nothing.
_POD = """\
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/secrets/kubernetes.io/serviceaccount
mount --bind "$1" /run/secrets/kubernetes.io/serviceaccount
mount --bind "$2" "$2"
mount -o remount,bind,ro "$2"
cd "$2"
shift 2
exec unshare --user --map-user=$POD_UID --map-group=0 "$@"
"""


@pytest.mark.timeout(180)
def test_entry_point_runs_as_any_user_from_a_checkout_that_is_read_only(tmp_path: Path) -> None:
    """With the environment, the mounts and the arguments of the Job, but for the tests that are chosen."""
    (command,) = re.findall(r"^ENTRYPOINT (.+)$", CONTAINERFILE, re.MULTILINE)
    results = tmp_path / "results"
    results.mkdir()
    with embedded_cluster(tmp_path) as kubeconfig:
        api = Api(kubeconfig)
        api.create("/api/v1/namespaces", {"metadata": {"name": HOME}})
        account = account_kubeconfig(api, kubeconfig, tmp_path / "account", [read_roles()["runner"]])
        token = yaml.safe_load(account.read_text(encoding="utf-8"))["users"][0]["user"]["token"]
        server = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
        host, _, port = server.removeprefix("https://").rpartition(":")
        values = {"$(POD_NAME)": "tests-x7k2p", "$(POD_NAMESPACE)": HOME, "/results": str(results), "p0": "nad-25"}
        arguments = [_filled(argument, values) for argument in container()["args"]]
        finished = subprocess.run(
            [
                *("unshare", "--map-root-user", "--mount", "bash", "-c", _POD, "pod"),
                *(str(pod(tmp_path, kubeconfig, token)), str(image(tmp_path)), *json.loads(command), *arguments),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={
                "PATH": os.environ["PATH"],
                "HOME": "/nonexistent",
                "XDG_CACHE_HOME": str(results),
                "PYTHONDONTWRITEBYTECODE": "1",
                "KUBERNETES_SERVICE_HOST": host,
                "KUBERNETES_SERVICE_PORT": port,
                "POD_UID": str(UID),
            },
        )
    printed = finished.stdout + finished.stderr
    assert finished.returncode == 0, printed
    assert "Verdict: PARTIAL" in finished.stdout
    # What a pod's message has room for ends with the verdict.
    assert "Verdict: PARTIAL" in finished.stdout.encode()[-4096:].decode(errors="replace")
    outcomes = read_results(results / "tests-x7k2p/output.xml").outcomes
    # The runner may not list nodes: what needs them is skipped with the missing right.
    skipped = [outcome.message for outcome in outcomes if outcome.verdict == "SKIP"]
    assert {outcome.verdict for outcome in outcomes} == {"PASS", "SKIP"}
    assert [message for message in skipped if "node-list" not in message] == []
    assert token not in printed


def _filled(argument: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        argument = value if argument == name else argument.replace(name, value) if name != "p0" else argument
    return argument


def shellcheck(script: str) -> str:
    shell = Path(sys.executable).with_name("shellcheck")
    return subprocess.run(
        [str(shell), "--shell=bash", "-"], input=script, capture_output=True, text=True, check=False
    ).stdout


def test_task_declares_what_it_uses() -> None:
    (task,) = documents("tekton-task.yaml")
    assert (task["apiVersion"], task["kind"]) == ("tekton.dev/v1", "Task")
    text = json.dumps(task["spec"]["steps"])
    used = set(re.findall(r"\$\((params|workspaces|results)\.([\w-]+)", text))
    declared = {(plural, entry["name"]) for plural in ("params", "results") for entry in task["spec"][plural]}
    assert used <= declared
    assert {entry["name"] for entry in task["spec"]["params"]} <= {name for kind, name in used if kind == "params"}
    (step,) = task["spec"]["steps"]
    assert "$(" not in step["script"].replace("$(sed", ""), "a parameter within a script could be taken for a command"
    assert shellcheck(step["script"]) == ""


def test_script_of_the_task_tells_the_verdict_and_keeps_the_exit_code(tmp_path: Path) -> None:
    """With a stand-in for run.sh, as its answer is what matters here."""
    (task,) = documents("tekton-task.yaml")
    (step,) = task["spec"]["steps"]
    stand_in = tmp_path / "run.sh"
    stand_in.write_text('#!/bin/sh\nprintf "<%s>" "$@"\necho\necho "Verdict: LAB ERROR: no cluster"\nexit 2\n')
    stand_in.chmod(0o755)
    script = step["script"].replace("/tmp/printed", str(tmp_path / "printed"))  # noqa: S108
    values = {
        "NAMESPACE": HOME,
        "PROFILE": "openshift-nmstate",
        "INCLUDE": 'p1 AND "x',
        "VERDICT_FILE": str(tmp_path / "verdict"),
    }
    finished = subprocess.run(
        ["bash", "-c", script, "script", "--variable", "BRIDGE:br7"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, **values},
    )
    assert finished.returncode == 2, finished.stderr
    assert (tmp_path / "verdict").read_text() == "LAB ERROR"
    assert (
        '<--in-cluster><--profile><openshift-nmstate><--outputdir></results><--include><p1 AND "x>'
        "<--variable><NAMESPACE:team-a>" in finished.stdout
    )
    assert "<--variable><BRIDGE:br7>" in finished.stdout


@pytest.mark.parametrize(
    "path",
    [DEPLOY / "github-actions.yaml", *sorted((ROOT / ".github" / "workflows").glob("*"))],
    ids=lambda path: path.name,
)
def test_workflow_keeps_secrets_out_of_commands_and_names_actions_by_commit(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 takes the key "on" for true.
    assert set(workflow) == {"name", True, "permissions", "jobs"}
    assert workflow["permissions"] == {"contents": "read"}
    for entry in workflow["jobs"].values():
        assert entry["timeout-minutes"] <= 120
        for step in entry["steps"]:
            assert ("uses" in step) != ("run" in step)
            script = step.get("run", "")
            assert "${{" not in script
            assert shellcheck(script) == "" if script else True
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", f"a/b@{0:040}"))


@pytest.mark.parametrize("name", ["job.yaml", "tekton-task.yaml", "Containerfile"])
def test_an_example_names_the_image_of_this_release(name: str) -> None:
    """A tag that moves would run other tests tomorrow."""
    assert f"kubevirt-live-nad-tests:{__version__}" in (DEPLOY / name).read_text(encoding="utf-8")
    assert re.search(r"^FROM \S+:\d+\.\d+\.\d+\S*$", CONTAINERFILE, re.MULTILINE)
