# SPDX-License-Identifier: Apache-2.0
"""A wrong word on the command line is one clear line, at once."""

from __future__ import annotations

import pytest

from emulator.cli.main import main


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["up", "--nodes", "0"], "argument --nodes: '0' given; expected a whole number from 1 to 32"),
        (["up", "--nodes", "many"], "argument --nodes: 'many' given; expected a whole number from 1 to 32"),
        (["up", "--speed", "0"], "argument --speed: '0' given; expected a number above 0 and up to 1000, such as 5"),
        (["up", "--kubevirt", "2.0"], "no KubeVirt profile is called '2.0'; there are: 1.7, 1.8, 1.8-gate, 1.9, main"),
        (["up", "--platform", "okd"], "no platform is called 'okd'; there are: kubernetes, openshift"),
        (
            ["exec", "--defect", "restart-required-blink", "--", "true"],
            "no defect is called 'restart-required-blink'; did you mean restart-required-blinks, ",
        ),
        (["exec", "--"], "no command given; expected: exec [options] -- CMD [arguments]"),
        (
            ["up", "--kubeconfig-out", "/no/such/dir/config"],
            "--kubeconfig-out /no/such/dir/config: there is no directory",
        ),
        (["node-agent", "--kubeconfig", "f", "--defect", "rain"], "no defect is called 'rain'"),
        (["nonsense"], "argument COMMAND: invalid choice: 'nonsense'"),
    ],
)
def test_bad_input_is_one_line(words: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(words)
    except SystemExit as end:
        status = int(end.code or 0)
    told = capsys.readouterr().err
    assert status == 64
    assert line in told
    assert told.count("\n") == 1
    assert told.startswith("python -m emulator")


def test_unknown_command_of_exec(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exec", "--", "no-such-command"]) == 127
    assert capsys.readouterr().err == "python -m emulator exec: no-such-command: command not found\n"


def test_defects_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["defects"]) == 0
    told = capsys.readouterr().out
    assert "restart-required-blinks\n    After the edit the VM carries RestartRequired for 300 ms" in told
    assert "fault: lab" in told
    blinks = told.partition("restart-required-blinks\n")[2].split("\n")[1]
    assert blinks == "    fault: product; requirement rows: R3; noticed by: nad-01"
