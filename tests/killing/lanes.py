# SPDX-License-Identifier: Apache-2.0
"""A cluster on which runs are killed, and what has become of it after each round."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import yaml

from tests.acceptance.cluster import Api
from tests.embedded import ROOT, embedded_cluster
from tests.killing.audit import AuditTrail, crossed, touched
from tests.killing.foreign import GIVEN, plant
from tests.killing.state import Key, State, differences, read_state
from tests.killing.victims import Death, Run

PROFILES = ROOT / "variables" / "profiles"
FOREIGN = 200
_TEAMS = "teams"
_USERS = 80
_GONE_SECONDS = 60.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Lane:
    """What runs on one cluster: scenarios that are taken in turn, ``at_once`` of them in a round.

    ``survivors`` run beside them to their ends, and have to pass.
    """

    name: str
    scenarios: tuple[tuple[str, ...], ...]
    cluster: tuple[str, ...] = ()
    options: tuple[str, ...] = ("--variablefile", str(PROFILES / "embedded.yaml"))
    at_once: int = 2
    survivors: tuple[tuple[str, ...], ...] = ()


_OPENSHIFT = ("--variablefile", str(PROFILES / "embedded-openshift.yaml"))
_DISRUPTIVE = ("--variable", "ALLOW_DISRUPTIVE:yes")
_EMBEDDED = ("--variablefile", str(PROFILES / "embedded.yaml"))
LANES = (
    Lane(
        "shared",
        (
            ("--include", "nad-01"),
            ("--include", "nad-07"),
            ("--include", "nad-09", "--include", "nad-08"),
            ("--include", "nad-01", "--variable", f"NAMESPACE:{GIVEN}", "--variable", "LEASE_NAMESPACE:default"),
            ("--include", "nad-13"),
            ("--include", "nad-01", "--include", "nad-04", "--processes", "2"),
            ("--include", "nad-02", "--variable", f"NAMESPACE:{GIVEN}", "--variable", "LEASE_NAMESPACE:default"),
            ("--include", "nad-14"),
        ),
        at_once=4,
        survivors=(("--include", "nad-01"),),
    ),
    Lane(
        "nmstate",
        (("--include", "nad-01"), ("--include", "nad-15"), ("--include", "nad-09")),
        cluster=("--platform", "openshift"),
        options=(*_OPENSHIFT, *_EMBEDDED),
        at_once=2,
    ),
    Lane(
        "settings",
        (("--include", "nad-19"), ("--include", "nad-24"), ("--include", "nad-18")),
        cluster=("--kubevirt", "1.8-gate"),
        options=(*_EMBEDDED, *_DISRUPTIVE),
    ),
    Lane(
        "settings of a HyperConverged",
        (("--include", "nad-24"), ("--include", "nad-19"), ("--include", "nad-18")),
        cluster=("--platform", "openshift", "--kubevirt", "1.8-gate"),
        options=(*_EMBEDDED, *_DISRUPTIVE),
    ),
)


@dataclass
class Site:
    """A cluster with foreign objects and users; ``before`` is what it was before any run."""

    lane: Lane
    kubeconfig: Path
    folder: Path
    trail: AuditTrail
    api: Api
    foreign: set[Key]
    before: State
    runs: list[Run] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _users: Iterator[int] = field(default_factory=count)

    def run(self, options: Sequence[str], death: Death | None = None) -> Run:
        """A run by a user of its own."""
        number = next(self._users)
        processes = int(options[options.index("--processes") + 1]) if "--processes" in options else 1
        kept = [option for option in options if option not in ("--processes", str(processes))]
        user = f"system:serviceaccount:{_TEAMS}:team-{number}"
        made = Run(
            user,
            self.folder / f"team-{number}.kubeconfig",
            tuple(kept),
            self.lane.options,
            self.folder / f"run-{number}",
            death,
            processes,
        )
        self.runs.append(made)
        return made

    def round(self, turn: int, chosen: Sequence[Death], say: Say) -> list[Run]:
        """Kill the ``chosen`` runs in parallel, then begin the next one, clean up, and compare."""
        scenarios = self.lane.scenarios
        with ThreadPoolExecutor() as pool:
            living = [pool.submit(self._go, options) for options in self.lane.survivors]
            dying = [
                pool.submit(self._go, scenarios[(turn * self.lane.at_once + number) % len(scenarios)], death)
                for number, death in enumerate(chosen)
            ]
            victims = [future.result() for future in dying]
            self._next_start(victims)
            self._clean()
            survivors = [future.result() for future in living]
        for survivor in survivors:
            if survivor.code != 0:
                self.problems.append(f"{survivor.title} ended with {survivor.code}; see {survivor.folder}")
        self._compare(victims)
        for victim in victims:
            say(f"{'ok  ' if not victim.left else 'LEFT'} {self.lane.name}: {victim.title}")
            for line in victim.left:
                say(f"       {line}")
        return victims

    def _go(self, options: Sequence[str], death: Death | None = None) -> Run:
        """A run that has ended, or was killed. One that ends before that is started again and killed earlier."""
        while True:
            run = self.run(options, death)
            run.go(self.trail)
            if death is None or run.killed:
                return run
            death = death.earlier()

    def finish(self) -> list[str]:
        """What runs did that they should not have, of all that was written."""
        self.trail.stop()
        users = {run.user for run in self.runs}
        ends = {run.user: run.ended for run in self.runs}
        self.problems += [
            f"foreign object touched by {line}" for line in touched(self.trail.writes, users, self.before)
        ]
        self.problems += [f"object of another run touched by {line}" for line in crossed(self.trail.writes, ends)]
        return self.problems

    def _next_start(self, victims: list[Run]) -> None:
        """A run that only looks: it has to put back what the dead ones changed."""
        look = self.run(("--include", "nad-25"))
        look.go(self.trail)
        if look.code != 0:
            self.problems.append(f"{look.title} ended with {look.code}; see {look.folder}")
        left = differences(_settings(self.before), _settings(read_state(self.api)), self.foreign)
        self._blame(left, victims, "after the next start ")

    def _clean(self) -> None:
        """The one command, dry and wet."""
        cleaner = self.run(())
        command = [str(ROOT / "run.sh"), "--kubeconfig", str(cleaner.kubeconfig), "--delete-leftovers"]
        command += ["--variable", f"NAMESPACE:{GIVEN}", "--variable", "LEASE_NAMESPACE:default"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=400)
        cleaner.ended = time.time()
        (self.folder / f"cleaned-{len(self.runs)}.txt").write_text(done.stdout + done.stderr)
        if done.returncode:
            self.problems.append(f"--delete-leftovers ended with {done.returncode}: {done.stdout}{done.stderr}")

    def _compare(self, victims: list[Run]) -> None:
        """What was deleted may take a moment to go."""
        deadline = time.monotonic() + _GONE_SECONDS
        while left := differences(self.before, read_state(self.api), self.foreign):
            if time.monotonic() > deadline:
                self._blame(left, victims, "")
                return
            time.sleep(0.5)

    def _blame(self, left: dict[Key, str], victims: list[Run], when: str) -> None:
        """Each thing is put to the run that wrote it last, or else to the site."""
        for key, line in left.items():
            said = f"{when}{key[0]} {key[1]}/{key[2]} {line}"
            writers = [write.user for write in self.trail.writes if write.key in (key, ("namespaces", "", key[1]))]
            guilty = [victim for victim in victims if victim.user in writers]
            for victim in guilty[-1:]:
                victim.left.append(said)
            if not guilty:
                self.problems.append(said)


def _settings(state: State) -> State:
    """The settings of the cluster, without their status, which counts VMs of aborted runs until they are removed."""
    resources = ("kubevirts.kubevirt.io", "hyperconvergeds.hco.kubevirt.io")
    return {
        key: {field: value for field, value in item.items() if field != "status"}
        for key, item in state.items()
        if key[0] in resources
    }


@contextmanager
def site(lane: Lane, folder: Path, foreign: int = FOREIGN) -> Iterator[Site]:
    """A cluster that is ready for runs to be killed on it."""
    folder.mkdir(parents=True)
    audit = folder / "audit.jsonl"
    with embedded_cluster(folder, *lane.cluster, "--audit-log", str(audit)) as kubeconfig:
        api = Api(kubeconfig)
        for number in range(_USERS):
            _make_user(api, kubeconfig, folder / f"team-{number}.kubeconfig", f"team-{number}")
        planted = plant(api, foreign)
        trail = AuditTrail(audit)
        try:
            yield Site(lane, kubeconfig, folder, trail, api, planted, _settled_state(api, planted))
        finally:
            trail.stop()


def _settled_state(api: Api, planted: set[Key]) -> State:
    """The state once controllers have written their first words on what is new."""
    deadline = time.monotonic() + _GONE_SECONDS
    before: State = {}
    while differences(before, state := read_state(api), planted):
        assert time.monotonic() < deadline, "the foreign objects do not settle"
        before = state
        time.sleep(1)
    assert planted <= set(state)
    return state


def _make_user(api: Api, kubeconfig: Path, path: Path, name: str) -> None:
    """A service account that may do all, so that the audit log tells runs apart."""
    if name == "team-0":
        api.create("/api/v1/namespaces", {"metadata": {"name": _TEAMS}})
    api.create(f"/api/v1/namespaces/{_TEAMS}/serviceaccounts", {"metadata": {"name": name}})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    subject = {"kind": "ServiceAccount", "namespace": _TEAMS, "name": name}
    binding = {"metadata": {"name": f"{_TEAMS}-{name}"}, "roleRef": role, "subjects": [subject]}
    api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    answer = api.create(f"/api/v1/namespaces/{_TEAMS}/serviceaccounts/{name}/token", request)
    config = yaml.safe_load(kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": answer["status"]["token"]}
    path.write_text(yaml.safe_dump(config))
