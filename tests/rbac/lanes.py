# SPDX-License-Identifier: Apache-2.0
"""Runs of all suites on embedded clusters with an audit log: as an administrator, or with the published roles alone.

All suites are three lanes each, as none shall take more than a few minutes.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.acceptance.cluster import Api
from tests.embedded import ROOT, RobotRun, embedded_cluster, run_robot
from tests.rbac.calls import Audit, read_audit
from tests.rbac.roles import HOME_PLACEHOLDER, Role

HOME = HOME_PLACEHOLDER
ACCOUNT = "kubevirt-nad-tests"
ADMIN = "embedded-admin"
OWN_HOMES = ("nad-swap", "default")
"""Namespaces that suites make, and that of the leases."""
_EMBEDDED = str(ROOT / "variables/profiles/embedded.yaml")
_OPENSHIFT = str(ROOT / "variables/profiles/embedded-openshift.yaml")
_LONGEST = 1800.0
_RBAC = "/apis/rbac.authorization.k8s.io/v1"


@dataclass(frozen=True)
class Lane:
    """A run: ``roles`` are what its user has, ``less`` resources that are taken out of them, also while recording.

    ``own``: each suite makes a namespace. ``red``: something is meant to fail.
    """

    name: str
    roles: tuple[str, ...]
    options: tuple[str, ...]
    cluster: tuple[str, ...] = ()
    own: bool = False
    suites: str = "suites"
    red: bool = False
    less: tuple[str, ...] = ()


PRIORITIES = ("p0", "p1", "p2")
_GIVEN = ("--variable", f"NAMESPACE:{HOME}")
LANES = (
    *(Lane(f"{priority.upper()} in a given namespace", ("runner", "reader"), (*_GIVEN, "--include", priority))
      for priority in PRIORITIES),
    Lane("P0 without any right elsewhere", ("runner",), (*_GIVEN, "--include", "p0")),
    Lane("P0 by the console", ("runner", "reader"), (*_GIVEN, "--include", "p0"), ("--defect", "ssh-is-refused"),
         red=True),
    Lane("P0 that fails", ("runner", "reader"), (*_GIVEN, "--include", "p0"), ("--defect", "restart-required-blinks"),
         red=True),
    Lane("node-local networks", ("runner", "reader"), (*_GIVEN, "--include", "p0ORnad-28", "--variable",
         "NODE_NETWORK:node-local")),
    Lane("a volume", ("runner", "reader"), (*_GIVEN, "--include", "nad-12", "--variable", "NON_MIGRATABLE_BY:volume")),
    Lane("metrics of the pods", ("runner", "reader"), (*_GIVEN, "--include", "nad-16"),
         less=("services/proxy", "routes")),
    Lane("leftovers in a given namespace", ("runner", "cleaner"), _GIVEN, suites="tests/rbac/leftovers.robot"),
    *(Lane(f"{priority.upper()}, all changes", ("own-namespaces", "reader", "administrator"),
           ("--variablefile", _OPENSHIFT, "--variable", "ALLOW_DISRUPTIVE:yes", "--include", priority),
           ("--platform", "openshift"), own=True) for priority in PRIORITIES),
    Lane("the gate", ("own-namespaces", "reader", "administrator"),
         ("--variable", "ALLOW_DISRUPTIVE:yes", "--include", "disruptive"), ("--kubevirt", "1.8-gate"), own=True),
    Lane("leftovers", ("own-namespaces", "administrator"), (), ("--platform", "openshift"), own=True,
         suites="tests/rbac/leftovers.robot"),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a lane's run was, and what it called."""

    run: RobotRun
    audit: Audit


def run_lane(lane: Lane, folder: Path, roles: Sequence[Role] | None) -> Outcome:
    """Run a lane; with ``roles`` as a service account that has these and no other, else as the administrator."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    audit = folder / "audit.jsonl"
    with embedded_cluster(folder, "--audit-log", str(audit), *lane.cluster) as admins:
        api = Api(admins)
        api.create("/api/v1/namespaces", {"metadata": {"name": HOME}})
        user, kubeconfig = ADMIN, admins
        if roles is not None:
            kubeconfig = account_kubeconfig(api, admins, folder / "account", roles)
            user = f"system:serviceaccount:{HOME}:{ACCOUNT}"
        # Of two variable files that have a value robot takes the first one's.
        options = [*lane.options, "--variablefile", _EMBEDDED, "--variable", f"KUBECONFIG:{kubeconfig}"]
        run = run_robot(folder / "results", *options, suites=ROOT / lane.suites, timeout=_LONGEST)
    return Outcome(run, read_audit(audit, user, OWN_HOMES if lane.own else (HOME,)))


def account_kubeconfig(api: Api, kubeconfig: Path, path: Path, roles: Sequence[Role]) -> Path:
    """That of a new service account of the home namespace, which has these roles alone."""
    accounts = f"/api/v1/namespaces/{HOME}/serviceaccounts"
    api.create(accounts, {"metadata": {"name": ACCOUNT}})
    for role in roles:
        place = f"{_RBAC}/namespaces/{HOME}/" if role.namespaced else f"{_RBAC}/"
        api.create(f"{place}{role.kind.lower()}s", role.as_object(HOME))
        api.create(f"{place}{role.kind.lower()}bindings", role.binding(ACCOUNT, HOME))
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    token = api.create(f"{accounts}/{ACCOUNT}/token", request)["status"]["token"]
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    path.chmod(0o600)
    return path
