"""The keyword API of GuestLibrary: documented, typed, named-only beyond the subjects, and cheap to import."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from GuestLibrary import GuestLibrary
from GuestLibrary.context import Blame, blamed_on
from livenad.errors import LabError, ProductFault
from robot.running import TypeInfo

ROOT = Path(__file__).parents[3]
KEYWORDS = {
    "Address Plugged NIC": 1,
    "Close Guests": 0,
    "End The Watch Of The Crossing": 1,
    "Gap In Connectivity Should Be Shown": 1,
    "Guest Interface Should Be Unchanged": 1,
    "Guest Should Have Booted Once": 1,
    "Guest Should Have Rebooted": 1,
    "Guest Should Have NIC": 1,
    "Guest Should Not Have NIC": 1,
    "Guest Should Not Have Rebooted": 1,
    "Guests Should Be Silent To Each Other": 2,
    "Guests Should Lose Little": 2,
    "Guests Should Reach Each Other": 2,
    "Old Network Should Have Been Kept Until The Next Try": 1,
    "Pod Network Should Work": 2,
    "Remember Guest": 1,
    "Run In Guest": 2,
    "Watch Guests For Loss": 2,
    "Watch Guests For Silence": 2,
    "Watch The Crossing": 1,
}


@pytest.fixture(scope="module")
def library() -> GuestLibrary:
    return GuestLibrary()


def method(library: GuestLibrary, name: str) -> inspect.Signature:
    return inspect.signature(library.keywords[name_in_library(library, name)])


def name_in_library(library: GuestLibrary, name: str) -> str:
    """PythonLibCore calls a keyword by its method where it has no name of its own."""
    return name if name in library.keywords else name.lower().replace(" ", "_")


def test_keywords_are_those_that_the_suites_use(library: GuestLibrary) -> None:
    names = {name.replace("_", " ").title() if "_" in name else name for name in library.get_keyword_names()}
    assert names == set(KEYWORDS)


@pytest.mark.parametrize("name", KEYWORDS)
def test_keyword_is_documented_tagged_and_named_only(library: GuestLibrary, name: str) -> None:
    documentation = library.get_keyword_documentation(name_in_library(library, name))
    parameters = list(method(library, name).parameters.values())
    positional = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert len(positional) == KEYWORDS[name]
    assert len(parameters) <= 7
    assert all(p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) for p in parameters)
    assert all(p.annotation is not p.empty for p in parameters)
    assert library.get_keyword_tags(name_in_library(library, name))
    if parameters:
        assert "Args:" in documentation
    for parameter in parameters:
        assert f"``{parameter.name}``" in documentation


@pytest.mark.parametrize(("text", "seconds"), [("1 min", 60), ("2.5s", 2.5), ("10", 10)])
def test_times_are_robot_times(library: GuestLibrary, text: str, seconds: float) -> None:
    types = library.get_keyword_types("guests_should_reach_each_other")
    assert TypeInfo.from_type(types["within"]).convert(text) == timedelta(seconds=seconds)


def test_unknown_blame_is_refused(library: GuestLibrary) -> None:
    types = library.get_keyword_types("guests_should_reach_each_other")
    assert TypeInfo.from_type(types["blame"]).convert("lab") is Blame.lab
    with pytest.raises(ValueError, match="nobody"):
        TypeInfo.from_type(types["blame"]).convert("nobody")


def test_before_the_act_a_fault_is_the_labs() -> None:
    with pytest.raises(ProductFault, match=r"^it is there$"), blamed_on(Blame.product):
        raise ProductFault("it is there")
    with pytest.raises(LabError, match=r"^LAB ERROR: before the act: it is there$"), blamed_on(Blame.lab):
        raise ProductFault("it is there")
    with pytest.raises(LabError, match=r"^LAB ERROR: peer is dead$"), blamed_on(Blame.product):
        raise LabError("peer is dead")


def test_keywords_without_a_cluster_say_so(library: GuestLibrary) -> None:
    with pytest.raises(LabError, match="no cluster is open"):
        library.run_keyword("remember_guest", ["vm"], {})
    library.run_keyword("close_guests", [], {})


def test_import_loads_no_client_and_connects_to_nothing() -> None:
    program = (
        "import socket, sys\n"
        "socket.socket.connect = None\n"
        "import GuestLibrary\n"
        "GuestLibrary.GuestLibrary()\n"
        "print([m for m in ('paramiko', 'websocket', 'kubernetes', 'cryptography', 'emulator') if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT / "libraries")},
        check=True,
    )
    assert done.stdout.strip() == "[]"
