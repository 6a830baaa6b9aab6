# SPDX-License-Identifier: Apache-2.0
"""A cluster is opened by the first keyword that needs it, and what a suite opened ends with it, come what may."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from robot.api import ExecutionResult

from testplan.__main__ import judge_run
from testplan.gate import Exit
from testplan.results import Verdict
from testplan.suites import read_tests
from tests.benchmarks.audit import asked, lines
from tests.embedded import ROOT, SUITES, embedded_cluster, run_robot

from .cluster import Api

RUN_LABEL = "kubevirt-nad-tests/run"
P0 = SUITES / "p0"
QUICK = ("--variablefile", str(ROOT / "variables/profiles/embedded.yaml"))
HEAD = f"""\
*** Settings ***
Library           KubeVirtLibrary
Library           GuestLibrary
Variables         {ROOT}/variables/defaults.yaml


*** Test Cases ***
"""

pytestmark = pytest.mark.timeout(300)

_AUDIT_LOG = "audit.jsonl"
_SECONDS = 13
_MOST_REQUESTS = 70
"""For P0 with its one swap, without patches: with the renewals of its leases in 13 s that makes 80."""
_MORE_A_SECOND = 2
"""Where a busy machine takes longer, what was listed before is listed again."""


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cluster")
    with embedded_cluster(folder, "--audit-log", str(folder / _AUDIT_LOG)) as path:
        yield path


def left(api: Api) -> list[str]:
    """Names of what runs have on the cluster."""
    paths = ("/api/v1/namespaces", "/apis/coordination.k8s.io/v1/namespaces/default/leases")
    return [str(item["metadata"]["name"]) for path in paths for item in api.items(path, labelSelector=RUN_LABEL)]


def p0_passed() -> dict[str, Verdict]:
    return {test.name: Verdict.PASS for test in read_tests(P0)}


def test_robot_alone_judges_a_file_of_p0(kubeconfig: Path, tmp_path: Path) -> None:
    variables = ("--variable", f"KUBECONFIG:{kubeconfig}", *QUICK)
    audit = kubeconfig.with_name(_AUDIT_LOG)
    before = lines(audit)
    run = run_robot(tmp_path, *variables, suites=P0 / "linux_bridge_vlan_change.robot")
    requests = asked(audit, before)
    assert {name: outcome.verdict for name, outcome in run.outcomes.items()} == p0_passed(), run.printed
    assert run.judgement.exit == Exit.PROVEN
    longer = max(0, ExecutionResult(run.folder / "output.xml").suite.elapsed_time.total_seconds() - _SECONDS)
    assert requests.requests - requests.verbs["patch"] < _MOST_REQUESTS + _MORE_A_SECOND * longer, requests
    assert left(Api(kubeconfig)) == []


@pytest.mark.nightly
def test_run_sh_judges_p0_by_its_folder(kubeconfig: Path, tmp_path: Path) -> None:
    command = [str(ROOT / "run.sh"), "--kubeconfig", str(kubeconfig), "--outputdir", str(tmp_path), *QUICK, "suites/p0"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=240, cwd=ROOT, env=dict(os.environ)
    )
    assert done.returncode == Exit.PROVEN, done.stdout + done.stderr
    judgement, results = judge_run(tmp_path / "output.xml")
    assert judgement.exit == Exit.PROVEN and results is not None
    assert {outcome.name: outcome.verdict for outcome in results.outcomes} == p0_passed()
    assert left(Api(kubeconfig)) == []


FIRST_KEYWORDS = {
    "Cluster Should Be Fit": "kubevirt",
    "Cluster Should Offer": "live-update",
    "Get Cluster Capability": "live-update",
    "Get Cluster Facts": "",
    "User Should Be Allowed To": "restart-vms",
    "Cluster Setting Should Be Changeable": "workloadUpdateMethods    value=LiveMigrate",
    "Open Test Namespace": "",
}


def test_any_keyword_opens_the_cluster_and_the_end_of_the_suite_closes_it(kubeconfig: Path, tmp_path: Path) -> None:
    """A suite for each: as the end of the one before it closed the cluster, each keyword finds none open."""
    suites = tmp_path / "suites"
    suites.mkdir()
    for keyword, arguments in FIRST_KEYWORDS.items():
        (suites / f"{keyword}.robot").write_text(f"{HEAD}{keyword}\n    {keyword}    {arguments}\n")
    run = run_robot(tmp_path / "results", "--variable", f"KUBECONFIG:{kubeconfig}", suites=suites)
    assert {name: outcome.verdict for name, outcome in run.outcomes.items()} == dict.fromkeys(
        FIRST_KEYWORDS, Verdict.PASS
    ), run.printed
    assert "Run" in ExecutionResult(run.folder / "output.xml").suite.metadata
    assert left(Api(kubeconfig)) == []


# Each suite finds the cluster as if it were the first one; none has a teardown.
WITHOUT_TEARDOWN = """\
Opens And Leaves
    ${name}    Open Test Namespace
    Create Network    blue    on=bridge
    Define VM    web
    Add NIC    web    secondary    network=blue
    Set Global Variable    ${NAMES}    ${NAMES} ${name}
"""
LOOKS = """\
Opens Once More
    ${name}    Open Test Namespace
    Log    was: ${NAMES}, is: ${name}    WARN
    Define VM    web
    Fail    it is left in the middle
"""


def test_namespaces_end_with_their_suites_without_a_teardown(kubeconfig: Path, tmp_path: Path) -> None:
    """In one run, beneath a suite that opened the cluster: it stays open until that one ends."""
    suites = tmp_path / "suites"
    suites.mkdir()
    settings = HEAD.partition("*** Test Cases ***")[0]
    (suites / "__init__.robot").write_text(f"{settings.rstrip()}\nSuite Setup    Cluster Should Be Fit\n")
    for name in ("a", "b"):
        (suites / f"{name}.robot").write_text(HEAD + WITHOUT_TEARDOWN)
    (suites / "c.robot").write_text(HEAD + LOOKS)
    options = ("--variable", f"KUBECONFIG:{kubeconfig}", "--variable", "NAMES:")
    run = run_robot(tmp_path / "results", *options, suites=suites)
    result = ExecutionResult(run.folder / "output.xml")
    assert [test.status for test in result.suite.all_tests] == ["PASS", "PASS", "FAIL"], run.printed
    assert [test.message for test in result.suite.all_tests][2] == "it is left in the middle"
    (told,) = [message.message for message in result.errors.messages if message.message.startswith("was: ")]
    names = told.removeprefix("was: ").replace(", is:", "").split()
    assert len(set(names)) == 3
    assert len({name.rpartition("-")[0] for name in names}) == 1, "one run made them all"
    assert left(Api(kubeconfig)) == []


def test_each_suite_that_opened_the_cluster_closes_it(kubeconfig: Path, tmp_path: Path) -> None:
    suites = tmp_path / "suites"
    suites.mkdir()
    for name in ("a", "b"):
        (suites / f"{name}.robot").write_text(HEAD + WITHOUT_TEARDOWN)
    options = ("--variable", f"KUBECONFIG:{kubeconfig}", "--variable", "NAMES:")
    run = run_robot(tmp_path / "results", *options, suites=suites)
    result = ExecutionResult(run.folder / "output.xml")
    assert [test.status for test in result.suite.all_tests] == ["PASS", "PASS"], run.printed
    runs = [str(suite.metadata["Namespace"]).rpartition("-")[0] for suite in result.suite.suites]
    assert len(set(runs)) == 2, "two runs"
    assert left(Api(kubeconfig)) == []
