# SPDX-License-Identifier: Apache-2.0
"""Every scenario of this folder, as an ordinary user and each night as root, in processes of their own.

Whole runs are root's where the tests are.
"""

from __future__ import annotations

import importlib
import inspect
import json
import shutil

import pytest

from tests.emulator.dataplane import users

MODULES = (
    "scenarios_network",
    "scenarios_wiring",
    "scenarios_move",
    "scenarios_life",
    "scenarios_halfway",
    "scenarios_access",
    "scenarios_cloudinit",
    "scenarios_sleep",
)
SCENARIOS = [
    (module, name)
    for module in MODULES
    for name, member in inspect.getmembers(
        importlib.import_module(f"tests.emulator.dataplane.{module}"), inspect.iscoroutinefunction
    )
    if not name.startswith("_") and member.__module__.endswith(module)
]
USERS = [pytest.param(user, marks=pytest.mark.nightly if user == "root" else ()) for user in users.USERS]
_results: dict[tuple[str, str], dict[str, str]] = {}


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(("module", "scenario"), SCENARIOS, ids=[name for _, name in SCENARIOS])
def test_scenario(module: str, scenario: str, user: str, request: pytest.FixtureRequest) -> None:
    if scenario.startswith("scp_") and shutil.which("scp") is None:
        pytest.skip("scp is missing; install openssh-client")
    # The first test of a module runs all that were selected of it: they wait more than they work.
    if (user, module) not in _results:
        _results[user, module] = _run(user, module, _selected(request, user, module))
    trouble = _results[user, module][scenario]
    assert not trouble, trouble


def _selected(request: pytest.FixtureRequest, user: str, module: str) -> list[str]:
    chosen = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    return [each["scenario"] for each in chosen if each.get("module") == module and each.get("user") == user]


def _run(user: str, module: str, scenarios: list[str]) -> dict[str, str]:
    process = users.start(user, "-m", "tests.emulator.dataplane.driver", module, *scenarios)
    output, _ = process.communicate(timeout=280)
    if process.returncode != 0:
        return dict.fromkeys(scenarios, output)
    results: dict[str, str] = json.loads(output.splitlines()[-1])
    said = "\n".join(output.splitlines()[:-1]).strip()
    return {name: trouble and f"{trouble}\n{said}" for name, trouble in results.items()}
