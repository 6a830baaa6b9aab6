# SPDX-License-Identifier: Apache-2.0
"""What a new user does, step by step: each command with its exit code and what it has to say."""

from __future__ import annotations

from dataclasses import dataclass

OWN_SUITE = """\
*** Settings ***
Library           KubeVirtLibrary
Suite Teardown    Close Test Namespace


*** Test Cases ***
Running VM Changes Its Network
    Open Test Namespace
    Create Network    blue    on=bridge
    Create Network    green    on=bridge
    Define VM    web
    Add NIC    web    secondary    network=blue
    Start VMs
    Wait Until VMs Are Ready    within=10 min
    Change VM Network    web    nic=secondary    network=green
    NIC Change Should Have Completed    web    nic=secondary    within=5 min
"""
"""As ``my.robot`` beside the checkout's own files; ``misspelt.robot`` calls a keyword that does not exist."""


@dataclass(frozen=True)
class Step:
    """``needs``: ``""``, or what makes the step long: ``cluster`` or ``packages``."""

    name: str
    command: str
    code: int
    says: str
    needs: str = ""


USAGE = 64
STEPS = (
    Step("help", "./run.sh --help", 0, "Usage: ./run.sh"),
    Step("first run", "./run.sh --include p0", 0, "Verdict: PASS", "cluster"),
    Step("a defect", "./run.sh --include p0 --defect restart-required-blinks", 1, "Verdict: FAIL", "cluster"),
    Step("list of defects", ".venv/bin/python -m emulator defects", 0, "restart-required-blinks", "cluster"),
    Step("misspelt variable", "./run.sh --include p0 --variable SWAP_TIMEOT:1min", USAGE, "SWAP_TIMEOUT"),
    Step("wrong value", "./run.sh --include p0 --variable VLANS:many", USAGE, "VLANS"),
    Step("misspelt tag", "./run.sh --include p00", USAGE, "p00"),
    Step("misspelt option", "./run.sh --inclde p0", USAGE, "--inclde"),
    Step("missing file of values", "./run.sh --variablefile my-clutser.yaml", USAGE, "my-clutser.yaml"),
    Step("missing suite", "./run.sh suites/p9", USAGE, "suites/p9"),
    Step("missing kubeconfig", "./run.sh --kubeconfig nowhere --profile kubernetes-node-local", USAGE, "nowhere"),
    Step(
        "misspelt profile",
        "./run.sh --kubeconfig nowhere --profile kubernetes-nodelocal",
        USAGE,
        "kubernetes-node-local",
    ),
    Step("unknown defect", "./run.sh --include p0 --defect restart-required-blink", USAGE, "restart-required-blinks"),
    Step("own suite, looked at", "./run.sh --dryrun my.robot", 0, "1 passed"),
    Step("own suite, misspelt", "./run.sh --dryrun misspelt.robot", 1, "No keyword with name 'Chance VM Network'"),
    Step("own suite", "./run.sh my.robot", 0, "Verdict: PA", "cluster"),
    Step(
        "RobotCode",
        'python3 -m venv "$HOME/code" && "$HOME/code/bin/pip" install --quiet -r requirements.txt '
        '"robotcode[runner]" && "$HOME/code/bin/robotcode" -p p0 discover tests',
        0,
        "VM Is Silent On The Previous Network",
        "packages",
    ),
    Step("RobotCode runs", '"$HOME/code/bin/robotcode" -p p0 -p embedded run', 0, "0 failed", "cluster"),
    Step(
        "another project",
        'python3 -m venv "$HOME/other" && "$HOME/other/bin/pip" install --quiet . && '
        'cp -r tests/package/foreign "$HOME" && cd "$HOME/foreign" && "$HOME/other/bin/robot" --dryrun tests.robot',
        0,
        "1 passed, 0 failed",
        "packages",
    ),
)
