"""The keywords as people meet them: documented, tagged, named arguments, few of them; importing costs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from KubeVirtLibrary import KubeVirtLibrary
from livenad.context import Run
from livenad.errors import BadInput, CapabilityMissing, LabError
from robot.api import SkipExecution
from robot.libdoc import LibraryDocumentation
from robot.running.arguments import ArgInfo

LIBRARIES = Path(__file__).parents[3] / "libraries"
LIBRARY = LibraryDocumentation(str(LIBRARIES / "KubeVirtLibrary"))
KEYWORDS = {keyword.name: keyword for keyword in LIBRARY.keywords}
NO_SUBJECT = {
    "Open Cluster",
    "Close Cluster",
    "Cluster Should Be Fit",
    "Restore Cluster Settings",
    "Look At Cluster",
    "Expected Capabilities Should Be There",
    "Open Test Namespace",
    "Create Further Namespace",
    "Close Test Namespace",
    "Start VMs",
    "Wait Until VMs Are Ready",
    "Delete Leftovers",
    "Get Cluster Version",
}


@pytest.mark.parametrize("name", KEYWORDS)
def test_keyword_is_documented_and_tagged(name: str) -> None:
    keyword = KEYWORDS[name]
    assert len(keyword.doc) > 40
    assert keyword.tags
    for argument in keyword.args:
        if argument.kind == ArgInfo.NAMED_ONLY:
            assert f"``{argument.name}``" in keyword.doc, f"{name}: {argument.name} is not documented"


@pytest.mark.parametrize("name", KEYWORDS)
def test_arguments_after_the_subject_are_named_and_few(name: str) -> None:
    arguments = [argument for argument in KEYWORDS[name].args if argument.kind != ArgInfo.NAMED_ONLY_MARKER]
    assert len(arguments) <= 5
    free = (ArgInfo.NAMED_ONLY, ArgInfo.VAR_NAMED, ArgInfo.VAR_POSITIONAL)
    positional = [argument for argument in arguments if argument.kind not in free]
    subjects = 0 if name in NO_SUBJECT else 2 if name in ("Add NIC", "Observe", "Where Cluster Offers") else 1
    assert len(positional) == subjects
    assert all(argument.type for argument in arguments), "every argument has a type"


def test_import_loads_no_client_and_connects_to_nothing() -> None:
    code = (
        "import sys; import KubeVirtLibrary; KubeVirtLibrary.KubeVirtLibrary(); "
        "print([name for name in ('kubernetes', 'paramiko', 'cryptography', 'emulator') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=LIBRARIES, capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "[]"


def test_keywords_without_a_cluster_say_what_to_do() -> None:
    assert Run.current_or_none() is None
    library = KubeVirtLibrary()
    with pytest.raises(LabError, match="no cluster is open; call `Open Cluster` first"):
        library.run_keyword("Define VM", ["web"])


def test_missing_capability_is_a_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    library = KubeVirtLibrary()

    def lacking(*_: object) -> None:
        raise CapabilityMissing("capability X is not there: measured 1.7")

    monkeypatch.setattr("livenad.context.Run.current", lacking)
    with pytest.raises(SkipExecution, match="capability X is not there"):
        library.run_keyword("Start VMs", [])


def test_unknown_nic_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    library = KubeVirtLibrary()

    def unknown(*_: object) -> None:
        raise LookupError('VM demo/web has no NIC "x"; it has: []')

    monkeypatch.setattr("livenad.context.Run.current", unknown)
    with pytest.raises(BadInput, match='has no NIC "x"'):
        library.run_keyword("Start VMs", [])
