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


KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: lab, cluster: {server: https://lab.invalid:6443}}]
users: [{name: me, user: {token: none}}]
contexts:
- {name: lab, context: {cluster: lab, user: me}}
- {name: production, context: {cluster: lab, user: me}}
current-context: lab
"""
"""As ``~/.kube/config``."""


@dataclass(frozen=True)
class Step:
    """``needs``: ``""``, or what makes the step long: ``cluster``, ``long`` (all suites) or ``packages``;
    ``more`` are further ones of a kind."""

    name: str
    command: str
    code: int
    says: str
    needs: str = ""


USAGE = 64
ON_THEIR_OWN = ".venv/bin/python -m emulator exec -- sh -c './run.sh --kubeconfig \"$KUBECONFIG\" {}'"
"""On a cluster in place of the user's own."""

CUT_SHORT = "(.venv/bin/python -m {} | head -1 >/dev/null) 2>&1 | grep . || echo no complaint"

USAGE_ERRORS = (
    Step("misspelt variable", "./run.sh --include p0 --variable SWAP_TIMEOT:1min", USAGE, "did you mean SWAP_TIMEOUT?"),
    Step("wrong value", "./run.sh --include p0 --variable VLANS:many", USAGE, "VLANS", "more"),
    Step("misspelt tag", "./run.sh --include p00", USAGE, "did you mean p0?"),
    Step("misspelt option", "./run.sh --inclde p0", USAGE, "did you mean --include?"),
    Step("option behind a path", "./run.sh suites/p0 --include p0", USAGE, "options come before all paths", "more"),
    Step("nothing selected", "./run.sh --include p0 --exclude p0", USAGE, "nothing can be run", "more"),
    Step("missing file of values", "./run.sh --variablefile my-clutser.yaml", USAGE, "my-clutser.yaml"),
    Step("missing suite", "./run.sh suites/p9", USAGE, "suites/p9", "more"),
    Step("missing kubeconfig", "./run.sh --kubeconfig nowhere --profile kubernetes-node-local", USAGE, "nowhere"),
    Step(
        "misspelt context",
        "./run.sh --kubeconfig ~/.kube/config --context labb --profile kubernetes-node-local",
        USAGE,
        "it has: lab, production",
    ),
    Step(
        "a kubeconfig for an embedded cluster",
        "./run.sh --variable KUBECONFIG:x",
        USAGE,
        "./run.sh --kubeconfig FILE",
        "more",
    ),
    Step("no profile", "./run.sh --kubeconfig ~/.kube/config", USAGE, "--profile NAME", "more"),
    Step(
        "misspelt profile",
        "./run.sh --kubeconfig nowhere --profile kubernetes-nodelocal",
        USAGE,
        "did you mean kubernetes-node-local?",
    ),
    Step("misspelt option of the tests", "./test.sh --quik", USAGE, "unrecognized arguments: --quik", "packages"),
    Step("unknown defect", "./run.sh --include p0 --defect restart-required-blink", USAGE, "restart-required-blinks"),
)

STEPS = (
    Step("help", "./run.sh --help", 0, "Usage: ./run.sh"),
    *USAGE_ERRORS,
    Step("own suite, looked at", "./run.sh --dryrun my.robot", 0, "1 passed"),
    Step("own suite, misspelt", "./run.sh --dryrun misspelt.robot", 1, "No keyword with name 'Chance VM Network'"),
    Step("selection, looked at", './run.sh --dryrun --include "p1 AND localnet"', 0, "nothing is proven", "more"),
    Step("a list, cut short", CUT_SHORT.format("emulator defects"), 0, "no complaint"),
    Step("another list, cut short", CUT_SHORT.format("testplan check --open"), 0, "no complaint", "more"),
    Step("no results of all that", "ls results", 2, "No such file"),
    Step("first run", "./run.sh --install --include p0", 0, "Verdict: PASS", "cluster"),
    Step("all pages are there", "cd results/latest && ls signoff.html report.html log.html", 0, "log.html", "cluster"),
    Step("a defect", "./run.sh --include p0 --defect restart-required-blinks", 1, "Verdict: FAIL", "cluster"),
    Step("list of defects", ".venv/bin/python -m emulator defects", 0, "restart-required-blinks", "cluster"),
    Step("one scenario", "./run.sh --include nad-04", 0, "Verdict: PARTIAL", "cluster"),
    Step("a requirement", "./run.sh --include r9", 0, "Verdict: PARTIAL", "cluster"),
    Step("tests by name", './run.sh --test "VM Is Silent*"', 0, "Verdict: PARTIAL", "cluster"),
    Step("argument file", "./run.sh --argumentfile lanes/p0.args", 0, "Verdict: PASS", "cluster"),
    Step("own suite", "./run.sh my.robot", 0, "Verdict: PARTIAL", "cluster"),
    Step(
        "bridges of one node on their own cluster",
        ON_THEIR_OWN.format("--profile kubernetes-node-local --include p0"),
        0,
        "Verdict: PASS",
        "cluster",
    ),
    Step(
        "bridges on their own cluster",
        ON_THEIR_OWN.format(
            "--profile kubernetes-existing-bridge --variable BRIDGE:br2 --variable OTHER_BRIDGE: "
            "--variable VLANS:100-149 --include p0"
        ),
        0,
        "Verdict: PASS",
        "cluster",
    ),
    Step("preflight", "./run.sh --preflight --include p0", 0, "Verdict: P", "cluster"),
    Step("in parallel", "./run.sh --processes 2 --exclude disruptive", 0, "Verdict: PASS", "long"),
    Step("quick lane", "./test.sh --install --quick", 0, "all stages passed", "packages"),
    Step(
        "RobotCode",
        'python3 -m venv "$HOME/code" && "$HOME/code/bin/pip" install --quiet -r requirements.txt '
        '"robotcode[runner]" && "$HOME/code/bin/robotcode" -p p0 discover tests',
        0,
        "VM Is Silent On The Previous Network",
        "packages",
    ),
    Step("RobotCode runs", '"$HOME/code/bin/robotcode" -p p0 -p embedded run', 0, "0 failed", "packages"),
    Step(
        "another project",
        'python3 -m venv "$HOME/other" && "$HOME/other/bin/pip" install --quiet . && '
        'cp -r tests/package/foreign "$HOME" && cd "$HOME/foreign" && "$HOME/other/bin/robot" --dryrun tests.robot',
        0,
        "1 passed, 0 failed",
        "packages",
    ),
    Step(
        "another project runs",
        '.venv/bin/python -m emulator exec -- sh -c \'cd "$HOME/foreign" && "$HOME/other/bin/robot" tests.robot\'',
        0,
        "1 passed, 0 failed",
        "packages",
    ),
)
