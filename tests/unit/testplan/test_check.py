# SPDX-License-Identifier: Apache-2.0
"""``testplan check`` names the culprit of every way in which plan and suites can part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testplan.__main__ import main
from testplan.plan import PlanError, load_plan

from .conftest import SUITE

Spoil = Callable[[dict[str, Any]], object]


def scenario(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["scenarios"][0]
    return found


def second_scenario(data: dict[str, Any], **values: Any) -> None:
    data["scenarios"].append({**scenario(data), "id": "nad-02", "status": "planned", "note": "Later.", **values})


@pytest.fixture
def check(
    write_plan: Callable[[dict[str, Any]], Path],
    write_suite: Callable[..., Path],
    plan_data: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str]]:
    """Runs the command on a spoiled plan or suite: exit code and what it wrote on stderr."""

    def run(spoil: Spoil | None = None, suite: str = SUITE) -> tuple[int, str]:
        if spoil:
            spoil(plan_data)
        code = main(["check", "--plan", str(write_plan(plan_data)), "--suites", str(write_suite(suite))])
        return code, capsys.readouterr().err

    return run


def test_a_plan_and_its_suites_agree(check: Callable[..., tuple[int, str]]) -> None:
    assert check() == (0, "")


@pytest.mark.parametrize(
    ("spoil", "culprit"),
    [
        (lambda data: data["requirements"][2].pop("status"), "R3 is covered by no automated scenario"),
        (
            lambda data: data["requirements"][0].update(status="planned", note="Not yet."),
            "R1 is marked planned, but scenario nad-01 covers it",
        ),
        (lambda data: data["requirements"].append(data["requirements"][2]), "requirement R3 is there twice"),
        (lambda data: data["scenarios"].append(scenario(data)), "scenario nad-01 is there twice"),
        (lambda data: data["external"].append(data["external"][0]), "external id VEP-140 is there twice"),
        (
            second_scenario,
            "external id CNV-15945 is of one test case, but belongs to several scenarios: nad-01, nad-02",
        ),
        (
            lambda data: scenario(data)["requirements"].append("R9"),
            "scenario nad-01 names requirement R9, which the plan does not have",
        ),
        (
            lambda data: scenario(data)["external"].append("CNV-1"),
            "scenario nad-01 names external id CNV-1, which the plan does not have",
        ),
        (
            lambda data: scenario(data).update(needs=["ipv5"]),
            "scenario nad-01 needs capability ipv5, which the plan does not have",
        ),
        (lambda data: data["capabilities"].append(data["capabilities"][0]), "capability localnet is there twice"),
        (
            lambda data: (scenario(data)["requirements"].append("R3"), data["requirements"][2].pop("status")),
            "requirement R3 of scenario nad-01 is carried by no test",
        ),
        (
            lambda data: second_scenario(data, status="automated", external=[]),
            "scenario nad-02 is automated, but no test carries its tag",
        ),
        (
            lambda data: scenario(data).update(priority="P1"),
            "tags of kind pN are ['p0'], the plan says p1 for nad-01",
        ),
        (
            lambda data: scenario(data).update(tier=1),
            "tags of kind tierN are ['tier2'], the plan says tier1 for nad-01",
        ),
        (
            lambda data: scenario(data).update(status="waived", note="No."),
            "scenario nad-01 is marked waived, but has this test",
        ),
        (lambda data: scenario(data)["requirements"].remove("R2"), "requirement R2 is not one of scenario nad-01"),
        (
            lambda data: scenario(data)["external"].remove("VEP-140"),
            "external id VEP-140 (tag vep-140) is not one of scenario nad-01",
        ),
    ],
)
def test_a_spoiled_plan_is_named(check: Callable[..., tuple[int, str]], spoil: Spoil, culprit: str) -> None:
    code, errors = check(spoil)
    assert code == 1
    assert culprit in errors


@pytest.mark.parametrize(
    ("old", "new", "culprit"),
    [
        ("[Metadata]    Requirements    R1\n", "[Metadata]    Other    R1\n", 'test "First": has no [Metadata] Requ'),
        ("Requirements    R1\n", "Requirements    R7\n", 'test "First": requirement R7 is not in the plan'),
        ("Requirements    R1\n", "Requirements    R3\n", "requirement R3 is not one of scenario nad-01"),
        ("5    nad-01", "5    nad-07", "scenario nad-07 is not in the plan"),
        ("5    nad-01", "5", "has 0 scenario tags (nad-NN), needs one"),
        ("5    nad-01", "5    nad-01    nad-02", "has 2 scenario tags (nad-NN), needs one"),
        ("p0    tier2", "p1    tier2", "tags of kind pN are ['p1'], the plan says p0"),
        ("p0    tier2", "p0    p1    tier2", "tags of kind pN are ['p0', 'p1'], the plan says p0"),
        ("p0    tier2", "p0", "tags of kind tierN are missing, the plan says tier2"),
        ("5    nad-01", "5    nad-01    network", "tag network is not in the vocabulary"),
        ("Scenario    nad-01", "Scenario    nad-02", "metadata Scenario is nad-02, the tag says nad-01"),
        ("Metadata    Scenario    nad-01\n", "", "metadata Scenario is missing, the tag says nad-01"),
        ("    r1\n", "    localnet\n", 'test "First": tag r1 is missing, as it carries requirement R1'),
        ("    r1\n", "    r1    r2\n", 'test "First": has tag r2, but does not carry requirement R2'),
        ("vep-140    ", "", 'test "First": tag vep-140 is missing, the plan says VEP-140 for nad-01'),
        ("cnv-15945    ", "cnv-15945    cnv-15946    ", "tag cnv-15946 is of no external id of the plan"),
    ],
)
def test_a_spoiled_suite_is_named(check: Callable[..., tuple[int, str]], old: str, new: str, culprit: str) -> None:
    assert old in SUITE
    code, errors = check(suite=SUITE.replace(old, new, 1))
    assert code == 1
    assert culprit in errors
    assert "suite.robot:" in errors


def test_a_test_case_of_another_system_that_no_test_stands_for_is_named(check: Callable[..., tuple[int, str]]) -> None:
    code, errors = check(suite=SUITE.replace("cnv-15945    ", ""))
    assert (code, errors) == (1, "plan: external id CNV-15945 of scenario nad-01 is carried by no test\n")


def test_two_tests_with_one_name_are_named(
    check: Callable[..., tuple[int, str]], write_suite: Callable[..., Path]
) -> None:
    folder = write_suite(SUITE)
    (folder / "other.robot").write_text(SUITE, encoding="utf-8")
    code, errors = check()
    assert code == 1
    assert 'plan: several tests are called "First": ' in errors


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: data["requirements"][2].pop("note"), "requirements R3: 'note' is a required property"),
        (lambda data: scenario(data).update(status="waived"), "scenarios nad-01: 'note' is a required property"),
        (lambda data: scenario(data).update(priority="p0"), "scenarios nad-01 priority: 'p0' is not one of"),
        (lambda data: data.update(other=1), "the plan: Additional properties are not allowed"),
    ],
)
def test_a_plan_that_breaks_the_schema_is_refused(
    write_plan: Callable[[dict[str, Any]], Path], plan_data: dict[str, Any], spoil: Spoil, message: str
) -> None:
    spoil(plan_data)
    with pytest.raises(PlanError) as caught:
        load_plan(write_plan(plan_data))
    assert message in str(caught.value)


def test_a_plan_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"no-plan\.yaml: cannot be read: No such file"):
        load_plan(tmp_path / "no-plan.yaml")


def test_metadata_of_an_outer_suite_counts_for_its_tests(
    check: Callable[..., tuple[int, str]], write_suite: Callable[..., Path]
) -> None:
    suite = SUITE.replace("Metadata    Scenario    nad-01\n", "")
    (write_suite(suite) / "__init__.robot").write_text("*** Settings ***\nMetadata    Scenario    nad-01\n")
    assert check(suite=suite) == (0, "")
