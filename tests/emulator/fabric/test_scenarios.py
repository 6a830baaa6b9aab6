"""Every scenario of this folder, as root and as an ordinary user, each in a process of its own."""

from __future__ import annotations

import importlib
import inspect

import pytest

from tests.emulator.fabric import users

MODULES = ("scenarios_network", "scenarios_move", "scenarios_life", "scenarios_access", "scenarios_cloudinit")
SCENARIOS = [
    (module, name)
    for module in MODULES
    for name, member in inspect.getmembers(
        importlib.import_module(f"tests.emulator.fabric.{module}"), inspect.iscoroutinefunction
    )
    if not name.startswith("_") and member.__module__.endswith(module)
]


@pytest.mark.parametrize("user", users.USERS)
@pytest.mark.parametrize(("module", "scenario"), SCENARIOS, ids=[name for _, name in SCENARIOS])
def test_scenario(module: str, scenario: str, user: str) -> None:
    process = users.start(user, "-m", "tests.emulator.fabric.driver", module, scenario)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
