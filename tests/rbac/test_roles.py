# SPDX-License-Identifier: Apache-2.0
"""docs/rbac: made of what was recorded, enough for a run with nothing else, and nothing in it to spare."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import Kind
from livenad.api.recorder import silent
from livenad.cluster.facts import read_facts, read_version
from livenad.cluster.preflight import Preflight
from livenad.context import Run
from livenad.errors import LabError
from livenad.permissions.rights import FURTHER_RIGHTS, NEEDED_RIGHTS, OWN_NAMESPACES, Right
from livenad.settings import Settings

from emulator.cluster_process.identities import node_identities
from emulator.platforms.platform import KUBERNETES
from testplan.gate import Exit
from tests.acceptance.cluster import Api
from tests.connect_proxy import connect_proxy
from tests.embedded import ROOT, embedded_cluster, run_robot
from tests.emulator.nodeagent.__main__ import Refusals
from tests.rbac.__main__ import differences
from tests.rbac.calls import Call, read_audit, recorded
from tests.rbac.lanes import ACCOUNT, HOME, account_kubeconfig
from tests.rbac.roles import FOLDER, Role, Rule, read_roles

ROLES = read_roles()
RUNNER = ROLES["runner"]
USER = f"system:serviceaccount:{HOME}:{ACCOUNT}"
ROLE = Kind("rbac.authorization.k8s.io/v1", "roles", "Role")
_EMBEDDED = str(ROOT / "variables/profiles/embedded.yaml")
EVERYBODYS = Call("elsewhere", "kubevirt.io", "kubevirts", "list")
"""KubeVirt lets every user see its resource, by ClusterRole kubevirt.io:default."""

_TOKEN_SECONDS = 4
"""Well below half of the quickest run: a token ends during it, more than once."""


@pytest.mark.parametrize("name", ROLES)
def test_published_role_is_the_one_that_was_recorded(name: str) -> None:
    written = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert written == ROLES[name].text(), "run .venv/bin/python -m tests.rbac --write"
    role, binding = yaml.safe_load_all(written)
    assert role == ROLES[name].as_object()
    assert binding["roleRef"]["name"] == role["metadata"]["name"]


def test_every_recorded_call_has_a_reason_and_every_reason_a_call() -> None:
    assert differences(recorded(), ROLES) == []


def test_a_new_call_and_a_reason_without_one_are_told() -> None:
    new = Call("home", "", "pods/exec", "create")
    gone = Call("home", "", "secrets", "create")
    assert differences((recorded() | {new}) - {gone}, ROLES) == [
        'no reason for "create" on pods/exec (home); give one in tests/rbac/reasons.yaml',
        'no run calls "create" on secrets (home); take it out of tests/rbac/reasons.yaml',
    ]


def test_what_is_asked_for_before_a_run_is_what_the_roles_have() -> None:
    """Of the optional rules only those that some suite cannot do without."""
    asked = {(right.group, right.resource, right.verb) for right in NEEDED_RIGHTS}
    asked |= {(right.group, right.resource, right.verb) for rights in FURTHER_RIGHTS.values() for right in rights}
    told = {
        (rule.group, resource, verb)
        for rule in RUNNER.rules
        if is_needed(rule)
        for resource in rule.resources
        for verb in rule.verbs
    }
    # Who may create these in a namespace cannot be kept from their removal by a run that asked only for the former.
    removals = {("", "serviceaccounts", "delete"), ("rbac.authorization.k8s.io", "rolebindings", "delete")}
    assert asked == told - removals
    own = {(call.group, call.resource, call.verb) for call in ROLES["own-namespaces"].calls()}
    assert {(right.group, right.resource, right.verb) for right in OWN_NAMESPACES} <= own


def is_needed(rule: Rule) -> bool:
    """Whether some suite cannot do without, so that it is asked for beforehand."""
    return not rule.without.startswith(("the evidence", "a lost answer", "those suites are skipped"))


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """A cluster with an account that has role runner alone: the administrator's kubeconfig, and a folder."""
    folder = tmp_path_factory.mktemp("lab")
    options = ("--audit-log", str(folder / "audit.jsonl"), "--shortest-token", "1")
    with embedded_cluster(folder, *options) as kubeconfig:
        api = Api(kubeconfig)
        api.create("/api/v1/namespaces", {"metadata": {"name": HOME}})
        account_kubeconfig(api, kubeconfig, folder / "account", [RUNNER])
        yield kubeconfig, folder


def renewing(admins: Path, folder: Path, proxy: str) -> Path:
    """A kubeconfig of the account by a proxy, whose exec plugin fetches tokens that end soon and says nothing of it."""
    plugin = folder / "plugin.py"
    plugin.write_text(
        f"""\
import json, pathlib, subprocess, sys
command = [{str(Path(sys.executable).with_name("kubectl"))!r}, "--kubeconfig", {str(admins)!r}, "--namespace", {HOME!r}]
command += ["create", "token", {ACCOUNT!r}, "--duration", "{_TOKEN_SECONDS}s"]
token = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
with (pathlib.Path(__file__).parent / "renewals").open("a") as file:
    file.write("x")
version = "client.authentication.k8s.io/v1"
print(json.dumps({{"apiVersion": version, "kind": "ExecCredential", "status": {{"token": token}}}}))
""",
        encoding="utf-8",
    )
    config = yaml.safe_load(admins.read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"]["proxy-url"] = proxy
    call = {"command": sys.executable, "args": [str(plugin)], "interactiveMode": "Never"}
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **call}}
    config["users"] = [{"name": config["users"][0]["name"], "user": user}]
    path = folder / "renewing"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


@pytest.mark.timeout(300)
def test_p0_passes_with_role_runner_alone_and_touches_nothing_foreign(lab: tuple[Path, Path], tmp_path: Path) -> None:
    """In a namespace that others use, too, by a proxy that wants a login, with tokens that end during the run."""
    admins, folder = lab
    api = Api(admins)
    foreign = foreign_objects(api)
    with connect_proxy("lab:s3cret") as proxy:
        run = run_robot(
            tmp_path / "results",
            *("--variablefile", _EMBEDDED, "--include", "p0"),
            *("--variable", f"KUBECONFIG:{renewing(admins, folder, proxy.url)}", "--variable", f"NAMESPACE:{HOME}"),
        )
        assert proxy.refused == 0
    assert run.judgement.exit is Exit.PROVEN, f"{run.judgement}\n{run.printed}"
    assert len((folder / "renewals").read_text(encoding="utf-8")) > 1
    audit = read_audit(folder / "audit.jsonl", USER, (HOME,))
    assert audit.allowed <= RUNNER.calls() | {EVERYBODYS}
    optional = ROLES["reader"].calls() | ROLES["own-namespaces"].calls()
    assert audit.refused <= optional, "a new call without the right to it"
    nodes = {who.user for who in node_identities(KUBERNETES)}
    agents = Refusals.read(folder / "audit.jsonl", nodes)
    assert agents.requests > 100
    assert agents.refused == {}, "the node agent asks for more than a real node may"
    assert foreign_objects(api, create=False) == foreign
    for plural in ("kubevirt.io/v1/{}/virtualmachines", "k8s.cni.cncf.io/v1/{}/network-attachment-definitions"):
        left = [item["metadata"]["name"] for item in api.items("/apis/" + plural.format(f"namespaces/{HOME}"))]
        assert left == [name for name in left if name in foreign]
    assert api.items(f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases") == []


def foreign_objects(api: Api, *, create: bool = True) -> dict[str, str]:
    """What others have in the namespace, by names like ours: with the resourceVersion of each."""
    nads, secrets = (
        f"/apis/k8s.cni.cncf.io/v1/namespaces/{HOME}/network-attachment-definitions",
        f"/api/v1/namespaces/{HOME}/secrets",
    )
    if create:
        for name in ("old-network", "new-network-k3x9ab-1"):
            api.create(nads, {"metadata": {"name": name}, "spec": {"config": json.dumps({"type": "bridge"})},
                              "apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition"})  # fmt: skip
        for name in ("vm-under-test-cloud-init", "old-peer-k3x9ab-1-cloud-init"):
            labels = {"kubevirt-nad-tests/vm": "vm-under-test"}
            api.create(secrets, {"metadata": {"name": name, "labels": labels}})
    return {
        item["metadata"]["name"]: item["metadata"]["resourceVersion"]
        for path in (nads, secrets)
        for item in api.items(path)
    }


def verbs() -> list[tuple[int, str]]:
    """Each verb of each rule that some suite cannot do without."""
    removals = ("serviceaccounts", "rolebindings")
    return [
        (number, verb)
        for number, rule in enumerate(RUNNER.rules)
        if is_needed(rule)
        for verb in rule.verbs
        if not (verb == "delete" and set(rule.resources) & set(removals))
    ]


def without(number: int, verb: str) -> Role:
    rules = list(RUNNER.rules)
    rules[number] = replace(rules[number], verbs=tuple(kept for kept in rules[number].verbs if kept != verb))
    return replace(RUNNER, rules=tuple(rule for rule in rules if rule.verbs))


@pytest.fixture(scope="module")
def run(lab: tuple[Path, Path]) -> Iterator[Run]:
    cluster = Cluster(open_connection(str(lab[1] / "account")), patience=10)
    settings, facts = Settings(namespace=HOME, lease_namespace=HOME), read_facts(cluster, read_version(cluster))
    yield Run(settings, cluster, facts, opened_in="", heartbeat=silent)
    cluster.close()


@pytest.fixture(scope="module")
def admin(lab: tuple[Path, Path]) -> Iterator[Cluster]:
    cluster = Cluster(open_connection(str(lab[0])))
    yield cluster
    cluster.close()


def put_role(admin: Cluster, role: Role) -> None:
    wanted = role.as_object(HOME)
    stored = admin.get(ROLE, wanted["metadata"]["name"], HOME)
    path = ROLE.path(HOME, wanted["metadata"]["name"])
    admin.request("PUT", path, body=stored | {"rules": wanted["rules"]}, repeatable=True)


def refusal(run: Run, rule: Rule) -> str:
    """What a run says before it creates anything."""
    preflight = Preflight(run.lab)
    actions = [
        name for name, rights in FURTHER_RIGHTS.items() if any(right.resource in rule.resources for right in rights)
    ]
    with pytest.raises(LabError) as caught:
        preflight.require_fit(["rights"])
        preflight.require_rights(actions)
    return str(caught.value)


@pytest.mark.timeout(300)
def test_one_verb_less_is_told_with_resource_namespace_and_role(run: Run, admin: Cluster) -> None:
    run.preflight.require_fit(["rights"])
    run.preflight.require_rights(list(FURTHER_RIGHTS))
    try:
        for number, verb in verbs():
            rule = RUNNER.rules[number]
            put_role(admin, without(number, verb))
            message = refusal(run, rule)
            for resource in rule.resources:
                right = Right(verb, rule.group, resource, "", HOME, *rule.names)
                assert f"{USER} has no right to {str(right).removesuffix(' ()')} (" in message
            assert "an administrator grants it by role kubevirt-nad-tests-runner, docs/rbac/runner.yaml" in message
    finally:
        put_role(admin, RUNNER)


@pytest.mark.timeout(300)
def test_run_with_one_verb_less_ends_before_anything_is_created(
    lab: tuple[Path, Path], admin: Cluster, tmp_path: Path
) -> None:
    number = next(number for number, rule in enumerate(RUNNER.rules) if "virtualmachines" in rule.resources)
    put_role(admin, without(number, "patch"))
    since = Api(lab[0]).resource_version(f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases")
    try:
        run = run_robot(
            tmp_path / "results",
            *("--variablefile", _EMBEDDED, "--include", "p0"),
            *("--variable", f"KUBECONFIG:{lab[1] / 'account'}", "--variable", f"NAMESPACE:{HOME}"),
        )
    finally:
        put_role(admin, RUNNER)
    assert run.judgement.exit is Exit.LAB_ERROR, f"{run.judgement}\n{run.printed}"
    expected = (
        f'{USER} has no right to "patch" on virtualmachines.kubevirt.io in namespace {HOME} (the edit that is tested); '
        "an administrator grants it by role kubevirt-nad-tests-runner, docs/rbac/runner.yaml"
    )
    assert all(expected in outcome.message for outcome in run.outcomes.values())
    assert Api(lab[0]).added_since(f"/apis/coordination.k8s.io/v1/namespaces/{HOME}/leases", since) == []
