# SPDX-License-Identifier: Apache-2.0
"""What a run is given is checked before anything starts: names, files, values, and where a user's networks are."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from scripts import run_suites
from scripts.command_line import CommandLine
from tests.forked import run_forked

from .conftest import ROOT

SCRIPT = str(ROOT / "scripts" / "run_suites.py")
PROFILES = "kubernetes-existing-bridge, kubernetes-node-local, openshift-existing-bridge, openshift-nmstate"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """run_suites.py as run.sh calls it; whatever is accepted is only a dry run."""
    ours = [argument for argument in arguments if argument.startswith(("--own-cluster", "--profile="))]
    robots = [argument for argument in arguments if argument not in ours]
    outputs = ("--dryrun", "--include", "nad-01", "--outputdir", str(folder / "results"), "--console", "none")
    return run_forked(SCRIPT, ["--state", str(folder), *ours, "--", *outputs, *robots], folder=folder)


def assert_refused(folder: Path, finished: subprocess.CompletedProcess[str], *fragments: str) -> None:
    """With 64 and one line, and nothing was made."""
    assert finished.returncode == 64, finished.stdout + finished.stderr
    (line,) = finished.stderr.splitlines()
    assert line.startswith("error: ")
    for fragment in fragments:
        assert fragment in line, line
    assert not (folder / "results").exists()


@pytest.mark.circumstance(
    "the name of a variable is misspelt",
    topic="input",
    sees="did you mean SWAP_TIMEOUT?",
    verdict="exit 64",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("variable", "fragments"),
    [
        ("SWAP_TIMOT:5 min", ['no variable "SWAP_TIMOT"', "did you mean SWAP_TIMEOUT?"]),
        ("BRIDGEX:br1", ['no variable "BRIDGEX"', "did you mean BRIDGE?"]),
        ("MEMORY:1Gi", ['no variable "MEMORY"', "did you mean VM_MEMORY?"]),
        ("Quux:1", ['no variable "Quux"', "variables/defaults.yaml has all that there are"]),
        ("VLANS:5000", ['variable VLANS is "5000"', "from 1 to 4094"]),
        ("SWAP_TIMEOUT", ['variable SWAP_TIMEOUT is ""', "a time above 0"]),
    ],
)
def test_a_variable_that_there_is_not(tmp_path: Path, variable: str, fragments: list[str]) -> None:
    assert_refused(tmp_path, run(tmp_path, "--variable", variable), *fragments)


@pytest.mark.circumstance(
    "YAML reads a value as a number: IPV4_PREFIX: 10.20, VLANS: 0100",
    topic="input",
    sees="the number 10.2;",
    verdict="exit 64",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("name", "text", "fragments"),
    [
        ("v.yaml", "SWAP_TIMOT: 5 min\n", ['no variable "SWAP_TIMOT"', "did you mean SWAP_TIMEOUT?"]),
        ("v.yaml", "# all my values\n", ["YAML variable file must be a mapping"]),
        ("v.yaml", "- BRIDGE\n", ["YAML variable file must be a mapping"]),
        ("v.yaml", "BRIDGE: 'br1\n", ["v.yaml", "failed"]),
        ("v.yaml", "BRIDGE: br1\nBRIDGE: br5\n", ["line 2: BRIDGE stands there twice"]),
        ("v.yaml", "BRIDGE:\n", ["line 1: BRIDGE has no value"]),
        ("v.yaml", "IPV4_PREFIX: 10.20\n", ["IPV4_PREFIX is 10.20", "the number 10.2;", '"10.20"']),
        ("v.yaml", "VLANS: 0100\n", ["VLANS is 0100", "the number 64;", '"0100"']),
        ("v.yaml", "VLANS: [100-110, 0200]\n", ["VLANS is 0200", "the number 128;", '"0200"']),
        ("v.yaml", "LOCALNET: no\n", ["LOCALNET is no", "the truth value False", '"no"']),
        ("v.yaml", "BOOT_TIMEOUT: 010\n", ["BOOT_TIMEOUT is 010", "reads as 8", '"010"']),
        ("v.json", '{"IPV4_PREFIX": 10.20}', ["variable IPV4_PREFIX", "put it in quotes"]),
        ("v.py", "IPV4_PREFIX = 10.20\n", ["variable IPV4_PREFIX", "put it in quotes"]),
        ("v.py", "import os\nSWAP_TIMOT = '5 min'\n", ['no variable "SWAP_TIMOT"']),
        ("v.py", "raise OSError('no disk')\n", ["v.py", "no disk"]),
    ],
)
def test_a_file_of_values_with_a_mistake(tmp_path: Path, name: str, text: str, fragments: list[str]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert_refused(tmp_path, run(tmp_path, "--variablefile", name), *fragments)


@pytest.mark.circumstance(
    "the file of --variablefile does not exist",
    topic="input",
    sees="does not exist",
    verdict="exit 64",
    source="tried on commit 34c8c6b",
)
def test_a_file_of_values_that_is_missing(tmp_path: Path) -> None:
    assert_refused(tmp_path, run(tmp_path, "--variablefile", "mine.yaml"), "'mine.yaml' does not exist")


def test_a_mistake_in_an_argument_file(tmp_path: Path) -> None:
    (tmp_path / "lane.args").write_text("--variable SWAP_TIMOT:5 min\n", encoding="utf-8")
    assert_refused(tmp_path, run(tmp_path, "--argumentfile", "lane.args"), "did you mean SWAP_TIMEOUT?")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--variable", "swap_timeout:5 min", "--variable", "Many Vms: int:4"),
        ("--variable", "RP_UUID:1", "--variablefile", "v.yaml"),
        ("--variable", "PLUGGED_NIC:1", "--variablefile", "v.py"),
        ("--variable", "MY_OWN:1", "own.robot"),
    ],
)
def test_what_means_something_is_taken(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "v.yaml").write_text('BOOT_TIMEOUT: 90\nVERIFY_TLS: no\nLOSS_LIMIT: 5\nGAP_THRESHOLD: ""\n')
    (tmp_path / "v.py").write_text("import os\ndef helper(): pass\nBRIDGE = 'br7'\n")
    (tmp_path / "own.robot").write_text("*** Test Cases ***\nMine\n    [Tags]    nad-01\n    Log    ${MY_OWN}\n")
    finished = run(tmp_path, *arguments)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.circumstance(
    "a user's cluster is given without a profile of its networks",
    topic="input",
    sees="not given ... --profile NAME",
    verdict="exit 64",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        ((), "NODE_NETWORK, VLANS, LOCALNET not given"),
        (("--variable", "BRIDGE:br7"), "NODE_NETWORK, VLANS, LOCALNET not given"),
        (("--variable", "NODE_NETWORK:existing"), "BRIDGE, OTHER_BRIDGE, VLANS, LOCALNET not given"),
        (("--variable", "NODE_NETWORK:node-local", "--variable", "LOCALNET:existing"), "VLANS, PHYSICAL_NETWORK not"),
    ],
)
def test_networks_of_a_users_cluster_are_never_guessed(
    tmp_path: Path, arguments: tuple[str, ...], missing: str
) -> None:
    finished = run(tmp_path, "--own-cluster", *arguments)
    assert_refused(tmp_path, finished, missing, f"--profile NAME ({PROFILES})", "--variable")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--profile=openshift-nmstate",),
        ("--variable", "NODE_NETWORK:node-local", "--variable", "LOCALNET:none"),
        ("--variablefile", str(ROOT / "variables" / "profiles" / "kubernetes-existing-bridge.yaml")),
    ],
)
def test_a_profile_or_its_values_will_do(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    finished = run(tmp_path, "--own-cluster", *arguments)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_a_profile_that_there_is_not(tmp_path: Path) -> None:
    finished = run(tmp_path, "--own-cluster", "--profile=openshift-nmstat")
    assert_refused(tmp_path, finished, 'is "openshift-nmstat"', "did you mean openshift-nmstate?", PROFILES)


OWN = "*** Test Cases ***\nMine\n    Log    one\n"


def run_own(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A suite of the user's own, which needs no cluster."""
    (folder / "own.robot").write_text(OWN, encoding="utf-8")
    return run_forked(SCRIPT, ["--state", str(folder), "--", *options, "own.robot"], folder=folder)


@pytest.mark.circumstance(
    "other users of the machine look for results",
    topic="input",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
@pytest.mark.parametrize("options", [(), ("--outputdir", "mine/nightly")])
def test_results_are_for_their_user_alone_and_a_part_of_the_plan_is_partial(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = run_own(tmp_path, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Verdict: PARTIAL: 1 of 1 test passed (no scenario); not a sign-off: no P0 test was selected" in done.stdout
    folder = tmp_path / "mine" / "nightly" if options else (tmp_path / "results" / "latest").resolve()
    assert (folder / "output.xml").is_file()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("options", [(), ("--outputdir", "mine")])
def test_a_dry_run_leaves_the_results_alone(tmp_path: Path, options: tuple[str, ...]) -> None:
    done = run_own(tmp_path, "--dryrun", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "results").exists()
    pages = [path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.html")]
    assert not [page for page in pages if "signoff.html" in page]


def test_a_folder_for_results_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir(mode=0o755)
    assert run(tmp_path).returncode == 0
    assert (tmp_path / "results").stat().st_mode & 0o777 == 0o755


@pytest.mark.circumstance(
    "the machine of the embedded cluster has no IPv6",
    topic="input",
    sees="IPV6_PREFIX:",
    verdict="SKIP",
    source="tried on commit 34c8c6b",
)
def test_machine_without_ipv6_has_guests_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that capability ipv6 is missing, unless the user says otherwise."""
    arguments = run_suites._arguments(["--state", "x", "--embedded"])
    line = CommandLine({}, [], [])
    assert run_suites._added_options(line, arguments)["variable"] == ["ALLOW_DISRUPTIVE:yes"]

    def refuse(*_: object) -> None:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", refuse)
    line = CommandLine({"variable": ["IPV6_PREFIX:fd01:0:0"]}, [], [])
    added = run_suites._added_options(line, arguments)["variable"]
    assert added == ["ALLOW_DISRUPTIVE:yes", "IPV6_PREFIX:", "IPV6_PREFIX:fd01:0:0"]


def test_an_error_of_the_tests_themselves_is_no_fault_of_the_product(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("no folder")
    broken = run_own(tmp_path)
    assert broken.returncode == 2
    assert "Verdict: LAB ERROR: the run broke off" in broken.stdout
