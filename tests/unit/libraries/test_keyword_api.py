# SPDX-License-Identifier: Apache-2.0
"""The keywords as people meet them: few, documented, tagged, with named and typed arguments; importing is cheap."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from livenad.errors import CapabilityMissing
from robot.api import ExecutionResult, SkipExecution
from robot.running import ResourceFile, TypeInfo
from robot.running.arguments import ArgInfo

from tests.forked import run_forked
from tests.keyword_examples import LIBRARIES
from tests.unit.libraries.conftest import Call

ROOT = Path(__file__).parents[3]
FOLDERS = (ROOT / "libraries/KubeVirtLibrary", ROOT / "libraries/GuestLibrary")
KEYWORDS = {keyword.name: keyword for library in LIBRARIES for keyword in library.keywords}
MOST_KEYWORDS = 75
MOST_USER_KEYWORDS = 20

# What a keyword is about, and may be given without a name: one thing, unless it stands here.
SUBJECTS = {
    "Add NIC": ["vm", "name"],
    "Define VM From Manifest": ["vm", "manifest"],
    "Guest NIC Should Be": ["vm", "nic", "state"],
    "Guests Should Be Silent To Each Other": ["vm", "peer"],
    "Guests Should Reach Each Other": ["vm", "peer"],
    "Outage Should Be Below": ["vm", "threshold"],
    "Packet Loss Should Be Below": ["vm", "peer"],
    "Pod Network Should Work": ["vm", "peer"],
    "Record Check": ["title", "name"],
    "Run In Guest": ["vm", "command"],
    "Start Packet Loss Monitoring": ["vm", "peer"],
    "Start Silence Monitoring": ["vm", "peer"],
    "User Should Be Forbidden To": ["user", "action"],
    "Wait For VM Event": ["vm", "event"],
}

# Texts that no type lists: names, and what a cluster or a guest goes by.
FREE_TEXTS = {
    "as_user",
    "command",
    "context",
    "image",
    "memory",
    "model",
    "name",
    "namespace",
    "subject",
    "threshold",
    "title",
    "user",
    "value",
}


def arguments(name: str, *kinds: str) -> list[Any]:
    marks = (ArgInfo.NAMED_ONLY_MARKER, ArgInfo.POSITIONAL_ONLY_MARKER)
    found = [argument for argument in KEYWORDS[name].args if argument.kind not in marks]
    return [argument for argument in found if argument.kind in kinds] if kinds else found


def test_there_are_few_keywords() -> None:
    assert len(KEYWORDS) <= MOST_KEYWORDS


def test_there_are_few_user_keywords_in_resources() -> None:
    files = [*(ROOT / "resources").rglob("*.resource"), *FOLDERS[0].rglob("*.resource")]
    found = [keyword.name for file in files for keyword in ResourceFile.from_file_system(file).keywords]
    assert len(set(found)) == len(found)
    assert 0 < len(found) <= MOST_USER_KEYWORDS, found


@pytest.mark.parametrize("name", KEYWORDS)
def test_keyword_is_documented_with_every_argument(name: str) -> None:
    assert len(KEYWORDS[name].doc) > 40
    for argument in arguments(name):
        assert f"``{argument.name}``" in KEYWORDS[name].doc, argument.name


@pytest.mark.parametrize("name", KEYWORDS)
def test_keyword_is_tagged_with_its_topic_and_its_layer(name: str) -> None:
    topic = Path(KEYWORDS[name].source).stem.replace("_", " ")
    layers = {"core", "scenario"}
    assert len(layers.intersection(KEYWORDS[name].tags)) == 1
    assert set(KEYWORDS[name].tags) - layers == {topic}


@pytest.mark.parametrize("name", KEYWORDS)
def test_arguments_after_the_subjects_are_named(name: str) -> None:
    positional = [one.name for one in arguments(name, ArgInfo.POSITIONAL_ONLY, ArgInfo.POSITIONAL_OR_NAMED)]
    if name in SUBJECTS:
        assert positional == SUBJECTS[name]
    else:
        assert len(positional) <= 1
    assert not arguments(name, ArgInfo.VAR_NAMED)


@pytest.mark.parametrize("name", KEYWORDS)
def test_arguments_have_types_that_list_what_there_is(name: str) -> None:
    for argument in arguments(name):
        assert argument.type, argument.name
        assert "Any" not in str(argument.type), argument.name
        if str(argument.type) in ("str", "str | None"):
            assert argument.name in FREE_TEXTS, f"{argument.name} is any text: a Literal or Enum lists what there is"


@pytest.mark.parametrize(
    ("keyword", "argument", "given", "wrong"),
    [
        ("Guests Should Reach Each Other", "blame", "lab", "vendor"),
        ("Guests Should Reach Each Other", "family", "ipv6", "ipv5"),
        ("Run In Guest", "via", "console", "telnet"),
        ("Guest NIC Should Be", "state", "absent", "gone"),
        ("Create Network", "on", "other bridge", "third bridge"),
        ("Change VM Network", "vm_state", "starting", "asleep"),
        ("Condition Should Be Set", "conditions", "RestartRequired", "Restart"),
        ("Wait For VM Event", "event", "migration created", "migration"),
        ("Define VM", "non_migratable_by", "binding", "will"),
        ("Change Cluster Setting", "setting", "vmRolloutStrategy", "rollout"),
        ("VM Should Have Been Migrated", "requested_by", "user", "vendor"),
    ],
)
def test_a_word_that_is_none_of_those_is_refused_by_robot(keyword: str, argument: str, given: str, wrong: str) -> None:
    (found,) = (one for one in arguments(keyword) if one.name == argument)
    assert found.type.convert(given) is not None
    with pytest.raises(ValueError, match=re.escape(wrong)):
        found.type.convert(wrong)


@pytest.mark.parametrize(("text", "seconds"), [("1 min", 60), ("2.5s", 2.5), ("10", 10)])
def test_times_are_robot_times(text: str, seconds: float) -> None:
    timed = [one for name in KEYWORDS for one in arguments(name) if one.name in ("within", "duration", "timeout")]
    assert len(timed) > 10
    assert {str(one.type) for one in timed} == {"timedelta"}
    assert TypeInfo.from_type(timedelta).convert(text) == timedelta(seconds=seconds)


DRY_RUN = """\
*** Settings ***
Library    KubeVirtLibrary
Library    GuestLibrary

*** Test Cases ***
"""
STEPS = {
    "Record Check    reached    Guest Should Reach Each Other    a    b    nic=n    within=1s": True,
    "Record Check    reached    Guests Should Reach Each Other    a    b    nic=n    within=1s": False,
    "Record Check    reached    Guests Should Reach Each Other    ${VM}    ${PEER}    nic=n    within=1s": False,
    "IF    ${True}    Stop WM    web": True,
    "IF    ${True}    Stop VM    web    ELSE    Start WMs": True,
    "IF    ${True}    Stop VM    web    ELSE    Start VMs": False,
}


def test_dry_run_finds_a_misspelt_inner_keyword(tmp_path: Path) -> None:
    suite = tmp_path / "one.robot"
    suite.write_text(DRY_RUN + "".join(f"{number}\n    {step}\n" for number, step in enumerate(STEPS)))
    nowhere = [word for name in ("--log", "--report") for word in (name, "NONE")]
    run_forked("robot", ["--dryrun", *nowhere, "--outputdir", str(tmp_path), str(suite)], folder=tmp_path)
    tests = ExecutionResult(tmp_path / "output.xml").suite.tests
    assert {step: "No keyword with name" in test.message for step, test in zip(STEPS, tests, strict=True)} == STEPS
    assert {step: test.failed for step, test in zip(STEPS, tests, strict=True)} == STEPS


IMPORT = """\
import builtins, resource, socket, sys
opened = []
real_open = builtins.open
builtins.open = lambda file, *rest, **named: (opened.append(str(file)), real_open(file, *rest, **named))[1]
socket.socket.connect = lambda *_: opened.append("a socket")
def spent():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
def count():
    began = spent()
    for number in range(1_000_000):
        number * number
    return spent() - began
pace = count()
began = spent()
import GuestLibrary, KubeVirtLibrary
KubeVirtLibrary.KubeVirtLibrary(), GuestLibrary.GuestLibrary()
imported = spent() - began
pace += count()
slow = {"paramiko", "websocket", "kubernetes", "cryptography", "requests", "emulator"} & set(sys.modules)
print(imported / pace, KubeVirtLibrary.base.SESSION.run)
print(opened, slow or "nothing slow")
"""


IMPORT_LIMIT = 6.0
"""The import's CPU time by that of two million multiplications: half a second on a machine that does nothing else."""


def test_import_opens_nothing_and_is_quick() -> None:
    """The quickest of ten at most: the first may have to compile.

    Its measure is what the same processor does at the same time: beside other work, and in a Python that was built
    without optimization, a second of CPU time is worth half as much.
    """
    paces = [math.inf]
    while min(paces) >= IMPORT_LIMIT and len(paces) <= 10:
        done = subprocess.run(
            [sys.executable, "-c", IMPORT],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(ROOT / "libraries")},
            check=True,
            timeout=60,
        )
        first, second = done.stdout.splitlines()
        assert second == "[] nothing slow"
        assert first.split()[1] == "None"
        paces.append(float(first.split()[0]))
    assert min(paces) < IMPORT_LIMIT


def test_missing_capability_is_a_skip(keywords: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> None:
        raise CapabilityMissing("capability X is not there: measured 1.7")

    monkeypatch.setattr("KubeVirtLibrary.base.open_cluster", lacking)
    with pytest.raises(SkipExecution, match="capability X is not there"):
        keywords("Start VMs")
