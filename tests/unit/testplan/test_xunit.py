# SPDX-License-Identifier: Apache-2.0
"""xUnit of a run: the ids that importers look for, and whose fault a bad test is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from testplan.__main__ import main
from testplan.cases import cases
from testplan.plan import Plan, load_plan
from testplan.results import Results
from testplan.suites import read_tests
from testplan.xunit import xunit, xunit_of_cases

from .conftest import SUITE

RunSuite = Callable[..., Results]
WritePlan = Callable[[dict[str, Any]], Path]


def test_xunit_has_ids_at_each_test_and_tells_lab_from_product(run_suite: RunSuite, plan: Plan) -> None:
    suite = SUITE.replace("Log    one", "Fail    NIC \\x07 on blue").replace("Log    two", "Fail    LAB ERROR: dead")
    root = parsed(xunit(plan, run_suite(suite), {"polarion-project-id": "CNV"}))
    assert counts(root) == {"tests": "2", "failures": "1", "errors": "1", "skipped": "0"}
    assert properties_of(root) == [("polarion-project-id", "CNV")]
    first, second = root.iter("testcase")
    assert properties_of(second) == [
        ("scenario", "nad-01"),
        ("requirement", "R1"),
        ("requirement", "R2"),
        ("priority", "P0"),
        ("tier", "2"),
        ("external", "VEP-140"),
        ("external", "CNV-15945"),
        ("polarion-testcase-id", "CNV-15945"),
    ]
    failure, error = first.find("failure"), second.find("error")
    assert failure is not None
    assert (failure.text or "").endswith("on blue")
    assert error is not None
    assert (error.get("type"), error.get("message")) == ("LabError", "LAB ERROR: dead")


def test_xunit_tells_a_misuse_from_a_fault_of_the_lab(run_suite: RunSuite, plan: Plan) -> None:
    suite = SUITE.replace("Log    one", "Nope").replace("Log    two", "Fail    LAB ERROR: dead")
    root = parsed(xunit(plan, run_suite(suite), {}))
    assert counts(root) == {"tests": "2", "failures": "0", "errors": "2", "skipped": "0"}
    assert [(error.get("type"), error.get("message")) for error in root.iter("error")] == [
        ("TestError", "No keyword with name 'Nope' found."),
        ("LabError", "LAB ERROR: dead"),
    ]


def test_xray_finds_its_test_and_what_it_covers(
    run_suite: RunSuite, write_plan: WritePlan, plan_data: dict[str, Any]
) -> None:
    plan_data["external"][1]["tracker"] = "jira"
    plan_data["external"] += [
        {"id": "CNV-72329", "kind": "epic", "tracker": "jira", "title": "The epic", "url": "https://c/1"},
        {"id": "VIRTSTRAT-560", "kind": "feature", "tracker": "jira", "title": "The feature", "url": "https://c/2"},
    ]
    suite = SUITE.replace("vep-140", "vep-140    cnv-72329    virtstrat-560")
    root = parsed(xunit(load_plan(write_plan(plan_data)), run_suite(suite), {}))
    assert root.find("properties") is None
    for case in root.iter("testcase"):
        assert properties_of(case)[-2:] == [("test_key", "CNV-15945"), ("requirements", "CNV-72329,VIRTSTRAT-560")]


@pytest.fixture
def xunit_of(run_suite: RunSuite, plan: Plan, tmp_path: Path) -> Callable[..., ET.Element]:
    """Runs the suite with other bodies of its two tests, and returns the xUnit of test cases."""

    def run(first: str, second: str, **options: str) -> ET.Element:
        results = run_suite(SUITE.replace("Log    one", first).replace("Log    two", second), **options)
        return parsed(xunit_of_cases(plan, results, cases(plan, results, read_tests(tmp_path / "suites")), {}))

    return run


@pytest.mark.parametrize(
    ("bodies", "element", "blamed", "message"),
    [
        (("Fail    LAB ERROR: dead", "Fail    on blue"), "failure", None, "Second: on blue"),
        (("No Operation", "Fail    LAB ERROR: dead"), "error", "LabError", "Second: LAB ERROR: dead"),
        (("Fail    LAB ERROR: dead", "Nope"), "error", "TestError", "Second: No keyword with name 'Nope' found."),
        (("Skip    no IPv6", "No Operation"), "skipped", None, "First: no IPv6"),
    ],
)
def test_a_test_case_has_the_worst_verdict_of_its_tests(
    xunit_of: Callable[..., ET.Element], bodies: tuple[str, str], element: str, blamed: str | None, message: str
) -> None:
    root = xunit_of(*bodies)
    (case,) = root.iter("testcase")
    assert (case.get("classname"), case.get("name")) == ("nad-01", "A test case")
    assert properties_of(case) == [("polarion-testcase-id", "CNV-15945")]
    told = [(child.tag, child.get("type"), child.get("message")) for child in case]
    assert told[1:] == [(element, blamed, message)]
    kinds = {"failure": "failures", "error": "errors", "skipped": "skipped"}
    assert counts(root) == {"tests": "1", "failures": "0", "errors": "0", "skipped": "0"} | {kinds[element]: "1"}


def test_a_test_case_passes_when_all_of_its_tests_did(xunit_of: Callable[..., ET.Element]) -> None:
    (case,) = xunit_of("No Operation", "No Operation").iter("testcase")
    assert [child.tag for child in case] == ["properties"]
    (case,) = xunit_of("No Operation", "No Operation", test="Second").iter("testcase")
    assert [(child.tag, child.get("message")) for child in case][1:] == [("skipped", "not in this run: First")]


def test_properties_of_the_run_are_given_by_name(
    run_suite: RunSuite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_suite(SUITE)
    output = str(tmp_path / "output.xml")
    ids = ("--property", "polarion-project-id=CNV", "--property", "polarion-testrun-id=nightly=1")
    assert main(["report", output, *ids]) == 0
    expected = [("polarion-project-id", "CNV"), ("polarion-testrun-id", "nightly=1")]
    for name in ("xunit.xml", "cases.xml"):
        assert properties_of(parsed((tmp_path / name).read_text(encoding="utf-8"))) == expected
    with pytest.raises(SystemExit) as wrong:
        main(["report", output, "--property", "nightly"])
    assert wrong.value.code == 64
    assert '"nightly": expected NAME=VALUE' in capsys.readouterr().err


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode())  # noqa: S314 (our own file)


def counts(element: ET.Element) -> dict[str, str | None]:
    return {key: element.get(key) for key in ("tests", "failures", "errors", "skipped")}


def properties_of(element: ET.Element) -> list[tuple[str | None, str | None]]:
    return [(item.get("name"), item.get("value")) for item in element.findall("properties/property")]
