# SPDX-License-Identifier: Apache-2.0
"""The suites on an embedded cluster, with a fault in between."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from testplan.results import Outcome, ResultsError, Verdict, read_results
from testplan.suites import read_tests
from tests.detection.judging import TOO_BUSY
from tests.embedded import ROOT, embedded_cluster
from tests.faults.catalogue import FAULTS
from tests.faults.exchange import Fate
from tests.faults.proxy import proxied

LONGEST = 3600.0
PROFILE = "embedded"
LAUNCHER = ROOT / "scripts" / "run_suites.py"
OWN_CLUSTER = {
    "dynamic_networks_controller": ("--dynamic-networks-controller",),
    "gate_off": ("--kubevirt", "1.8-gate"),
}
"""The suites that are skipped on the cluster of the others, and what theirs is to be like."""


@dataclass
class Behind:
    """What came of suites behind a fault: outcomes by suite, and the writes that were blindly repeated.

    ``lost`` are the sorts of writes that were carried out and whose answers were lost, ``refused`` of those that were
    not carried out.
    """

    fault: str
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    requests: int = 0
    seconds: float = 0.0

    def verdicts(self, suite: str) -> dict[str, Verdict]:
        """By test of a suite."""
        return {outcome.name: outcome.verdict for outcome in self.outcomes.get(suite, ())}

    def save(self, path: Path) -> None:
        data = asdict(self) | {"lost": sorted(self.lost), "refused": sorted(self.refused)}
        path.write_text(json.dumps(data, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Behind:
        """What `save` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        outcomes = {
            suite: [
                Outcome(**(one | {"verdict": Verdict(one["verdict"]), "tags": tuple(one["tags"])})) for one in several
            ]
            for suite, several in data["outcomes"].items()
        }
        return cls(**(data | {"outcomes": outcomes, "lost": set(data["lost"]), "refused": set(data["refused"])}))


def run_behind(
    fault: str,
    folder: Path,
    suites: Sequence[str] = (),
    *,
    processes: int = 1,
    cluster: Sequence[str] = (),
    options: Sequence[str] = (),
) -> Behind:
    """Run these suites (stems of files; none are all), ``processes`` in parallel. Robot's results are in ``folder``.

    A suite whose lab was too busy to judge has judged nothing: it runs once more, by itself.
    """
    began, found = time.monotonic(), Behind(fault)
    chosen = suites or sorted({test.source.stem for test in read_tests()})
    if usual := [suite for suite in chosen if suite not in OWN_CLUSTER]:
        _add_runs(found, folder, usual, processes=processes, cluster=cluster, options=options)
    for suite in (suite for suite in chosen if suite in OWN_CLUSTER):
        wanted = [*cluster, *OWN_CLUSTER[suite]]
        _add_runs(found, folder / f"cluster-of-{suite}", [suite], processes=1, cluster=wanted, options=options)
    found.seconds = time.monotonic() - began
    return found


def _add_runs(
    found: Behind,
    folder: Path,
    suites: Sequence[str],
    *,
    processes: int,
    cluster: Sequence[str],
    options: Sequence[str],
) -> None:
    """What comes of suites on one cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        embedded_cluster(folder, *cluster) as kubeconfig,
        proxied(kubeconfig, FAULTS[found.fault](), folder / "through-the-proxy") as proxy,
    ):
        given = [*options, *(word for suite in suites for word in ("--suite", suite))]
        outcomes = _run(proxy.kubeconfig, folder / "run", processes, given)
        for suite, seen in list(outcomes.items()):
            if any(TOO_BUSY in outcome.message for outcome in seen):
                outcomes |= _run(proxy.kubeconfig, folder / f"again-{suite}", 1, [*options, "--suite", suite])
    found.outcomes |= outcomes
    found.repeated += proxy.repeated()
    found.requests += len(proxy.sent)
    found.lost |= {one.sort for one in proxy.sent if one.fate is Fate.LOST and one.is_write}
    found.refused |= {one.sort for one in proxy.sent if one.fate is Fate.KEPT_BACK and one.is_write}


def differences(found: Behind, undisturbed: Behind, suites: Iterable[str] = ()) -> dict[str, list[str]]:
    """By suite what is not as on the undisturbed cluster, a line for each test."""
    wrong: dict[str, list[str]] = {}
    for suite in suites or undisturbed.outcomes:
        expected, seen = undisturbed.verdicts(suite), found.verdicts(suite)
        messages = {outcome.name: outcome.message for outcome in found.outcomes.get(suite, ())}
        wrong[suite] = [
            f"{name}: {seen.get(name, Verdict.NOT_RUN)}, undisturbed {verdict}: {messages.get(name, 'no result')}"
            for name, verdict in expected.items()
            if seen.get(name) is not verdict
        ]
        if not set(expected.values()) - {Verdict.SKIP}:
            wrong[suite].append("nothing to compare with: no test ran on the undisturbed cluster")
    return wrong


def _run(kubeconfig: Path, folder: Path, processes: int, options: Sequence[str]) -> dict[str, list[Outcome]]:
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, str(LAUNCHER), "--state", str(folder), "--kubeconfig", str(kubeconfig), "--embedded"),
        *("--profile", PROFILE, "--processes", str(processes), "--", "--outputdir", str(folder)),
        *("--console", "quiet", "--variable", "ALLOW_DISRUPTIVE:yes", *options),
    ]
    with (folder / "printed.txt").open("w", encoding="utf-8") as printed:
        subprocess.run(command, stdout=printed, stderr=subprocess.STDOUT, check=False, timeout=LONGEST, cwd=ROOT)
    outcomes: dict[str, list[Outcome]] = {}
    try:
        results = read_results(folder / "output.xml")
    except ResultsError:
        return {}
    for outcome in results.outcomes:
        suite = outcome.suite.rsplit(".", 1)[-1].lower().replace(" ", "_")
        outcomes.setdefault(suite, []).append(outcome)
    return outcomes
