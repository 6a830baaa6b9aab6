# SPDX-License-Identifier: Apache-2.0
"""What was not observed is never a pass: no verdict over a history passes on one without records."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_type_hints

import livenad
import pytest
from livenad.api.history import History
from livenad.changes import Change, NetworkChange, NicHotplug, NicSettingsChange
from livenad.errors import LabError, ProductFault
from livenad.invariants.judge_everything import Act, Reading
from livenad.migrations.judge_induced_failure import InducedFailure
from livenad.model import Nic

Verdict = Callable[..., str]


def verdicts() -> Iterator[Verdict]:
    """Every public function of the core that judges a history."""
    for found in pkgutil.walk_packages(livenad.__path__, "livenad."):
        module = importlib.import_module(found.name)
        for name, function in inspect.getmembers(module, inspect.isfunction):
            own = name.startswith("judge_") and function.__module__ == found.name
            if own and next(iter(inspect.signature(function).parameters)) == "history":
                yield function


VERDICTS = sorted(verdicts(), key=lambda verdict: verdict.__name__)


def arguments(verdict: Verdict, vmi_uid: str) -> dict[str, Any]:
    """What a verdict is asked about: changes of a VM that was never recorded."""
    common: dict[str, Any] = {
        "what": "the edit",
        "vm": "web",
        "namespace": "demo",
        "index": 0,
        "at": time.monotonic() - 1,
        "vmi_uid": vmi_uid,
        "node": "n1",
        "migrations": frozenset(),
    }
    edit = NetworkChange(
        **common,
        action="network",
        nic="one",
        pod_interface="pod1",
        old_network="blue",
        new_network="red",
        created="then",
        firmware_uuid="f1",
        revision="r1",
        interface={},
    )
    known: dict[Any, object] = {
        NetworkChange: edit,
        Change: Change(**common, action="restart"),
        NicSettingsChange: NicSettingsChange(**common, action="nic settings", nic="one", model="e1000e"),
        NicHotplug: NicHotplug(
            **common, action="hot-unplug", nic=Nic("one", "02:00:00:00:00:01", "blue"), plugged=False
        ),
        InducedFailure: InducedFailure(edit, "m1", "u1", "pod1", edit.at, 0),
        Sequence[NetworkChange]: [edit],
        Act: Act("web", 0, edit.at, [edit], edit),
        Reading | None: None,
        float: 60.0,
        int: 1,
        str: "web",
    }
    hints = get_type_hints(verdict)
    names = list(inspect.signature(verdict).parameters)[1:]
    return {name: known.get(hints[name], ["RestartRequired"]) for name in names}


def test_the_verdicts_are_found() -> None:
    assert {"judge_restart_never_required", "judge_stayed", "judge_nic_change"} <= {one.__name__ for one in VERDICTS}


@pytest.mark.parametrize("vmi_uid", ["u1", ""], ids=["running", "stopped"])
@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.__name__)
def test_a_history_without_records_passes_nothing(verdict: Verdict, vmi_uid: str) -> None:
    with pytest.raises((LabError, ProductFault)):
        verdict(History(), **arguments(verdict, vmi_uid))
