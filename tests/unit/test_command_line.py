# SPDX-License-Identifier: Apache-2.0
"""Wrong usage is told in one line before anything starts, with what was probably meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.command_line import read_command_line
from scripts.given_values import WrongUsage
from testplan.suites import read_tests
from tests.unit.support.kubeconfig import write_kubeconfig


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--inclde p0", "option --inclde not recognized; did you mean --include?"),
        ("--kubeconfg lab", "option --kubeconfg not recognized; did you mean --kubeconfig?"),
        ("--dryrum", "option --dryrum not recognized; did you mean --dryrun?"),
        ("--variablefile no.yaml", "Variable file 'no.yaml' does not exist; expected a file of"),
        ("--qqq", "option --qqq not recognized; see ./run.sh --help and robot --help"),
        ("--include nad-99", '--include nad-99: no test has the tag "nad-99"; did you mean nad-'),
        ("--include p1ANDlocalnets", 'no test has the tag "localnets"; did you mean localnet?'),
        ("--exclude disruptiv", 'no test has the tag "disruptiv"; did you mean disruptive?'),
        ("--include p0 --exclude p0", "nothing can be run: Suite 'Suites' contains no tests matching tag 'p0' and not"),
        ("--test Nope", "nothing can be run: Suite 'Suites' contains no tests matching name 'Nope'"),
        ("--suite nope", "nothing can be run: Suite 'Suites' contains no tests in suite 'nope'"),
        ("suites/p0 --include p0", "option --include stands behind the path suites/p0; options come before all paths"),
        ("suites/p9", 'there is no file or folder "suites/p9"'),
        ("--variable KUBECONFIG:/no/config", 'kubeconfig "/no/config" (variable KUBECONFIG) does not exist'),
        ("--rerunfailed no.xml", "nothing can be run: Collecting failed tests"),
    ],
)
def test_wrong_usage_is_one_line(arguments: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    with pytest.raises(WrongUsage) as caught:
        read_command_line(arguments.split(), [])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_kubeconfig_that_is_missing() -> None:
    with pytest.raises(WrongUsage, match=r'kubeconfig "/no/config" .* does not exist'):
        read_command_line([], [], kubeconfig="/no/config")


@pytest.mark.parametrize("text", ["", "[]", "kind: Config", "contexts: [", "\0"])
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").write_text(text, encoding="utf-8")
    with pytest.raises(WrongUsage) as caught:
        read_command_line([], [], kubeconfig=str(tmp_path / "config"))
    assert str(tmp_path / "config") in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("option", "variables"), [("production", []), ("", ["--variable", "CONTEXT:production"])])
def test_a_context_that_the_kubeconfig_does_not_have(tmp_path: Path, option: str, variables: list[str]) -> None:
    config = str(write_kubeconfig(tmp_path / "config", "https://lab.invalid"))
    with pytest.raises(WrongUsage, match=r'context "production" .* is not in kubeconfig .*; it has: here, there'):
        read_command_line(variables, [], kubeconfig=config, context=option)
    with pytest.raises(WrongUsage, match="it has: here, there"):
        read_command_line(["--variable", f"KUBECONFIG:{config}", *variables], [], context=option)
    read_command_line(["--variable", "CONTEXT:there"], [], kubeconfig=config)


@pytest.mark.parametrize("variable", ["KUBECONFIG:{}", "CONTEXT:there"])
def test_a_run_on_an_embedded_cluster_is_led_to_no_other(tmp_path: Path, variable: str) -> None:
    """Such a run may change the settings of its cluster."""
    given = variable.format(write_kubeconfig(tmp_path / "config", "https://lab.invalid"))
    with pytest.raises(WrongUsage, match=r"starts an embedded cluster, and .* \./run\.sh --kubeconfig FILE"):
        read_command_line(["--variable", given], [], embedded=True)


@pytest.mark.parametrize(
    ("arguments", "scenarios"),
    [
        ("--include p0", ["nad-01"]),
        ("--include nad-01ORnad-21", ["nad-01", "nad-21"]),
        ("--skiponfailure bug-cnv-1 --include p0", ["nad-01"]),
        ("--exclude nad-??", []),
    ],
)
def test_what_is_selected_is_known_before_the_run(
    arguments: str, scenarios: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    if not scenarios:
        with pytest.raises(WrongUsage):
            read_command_line(arguments.split(), [])
        return
    selected = read_command_line(arguments.split(), []).selected
    expected = [test.name for test in read_tests() if set(scenarios).intersection(test.scenarios)]
    assert sorted(test.name for test in selected) == sorted(expected)
    assert not [test for test in selected if "vep-140" not in test.tags]


def test_a_preflight_runs_other_suites_with_the_same_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    line = read_command_line(["--include", "p0", "--variable", "BRIDGE:br9"], [])
    other = line.without_selection(["suites/preflight"])
    assert other.options["variable"] == ["BRIDGE:br9"] and "include" not in other.options
    assert {tag for test in other.selected for tag in test.tags} >= {"nad-25"}
    assert line.options["include"] == ["p0"]
