# SPDX-License-Identifier: Apache-2.0
"""``python -m testplan check | document | report | gate``: see ``--help`` of each."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from testplan.backlinks import link_back
from testplan.cases import cases
from testplan.chapters import CHAPTERS, load_chapters, open_points
from testplan.check import problems
from testplan.document import DOCUMENT, Document
from testplan.gate import Exit, Judgement, judge, nothing_to_judge
from testplan.matrix import html, markdown
from testplan.page import Links
from testplan.plan import PLAN, PlanError, load_plan, load_vocabulary
from testplan.prose import not_checked
from testplan.results import Results, ResultsError, read_results
from testplan.review import review_problems
from testplan.signoff import signoff
from testplan.suites import SUITES, read_forms, read_tests
from testplan.xunit import xunit, xunit_of_cases

USAGE_ERROR = 64
GATE_CODES = """exit codes:
  0    all that was selected passed, and the plan accepts each skip: PASS with all of P0, else PARTIAL (not a sign-off)
  1    the product failed a test
  2    nothing is said of the product: a suite misused a keyword (TEST ERROR), or the lab kept a test from judging
       (LAB ERROR)
  3    not proven: P0 or another test was skipped without accepted reason or did not run, or there is no result file
  64   wrong usage
"""


class _Parser(argparse.ArgumentParser):
    """argparse ends with 2 on wrong usage, which is the code of LAB ERROR and TEST ERROR here."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE_ERROR, f"{self.prog}: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of the command."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.command(arguments)
    except PlanError as error:
        print(error, file=sys.stderr)
        return 1 if arguments.command is _check else USAGE_ERROR
    return code


def judge_run(
    output: Path, plan_path: Path = PLAN, suites: Path = SUITES, selected: Collection[str] | None = None
) -> tuple[Judgement, Results | None]:
    """The verdict on a result file; no results: there is no usable file. ``selected``: what it has to hold."""
    try:
        results = read_results(output)
    except ResultsError as error:
        return nothing_to_judge(f"no usable result file: {error}"), None
    return judge(results, load_plan(plan_path), read_tests(suites), selected), results


def write_reports(
    results: Results,
    judgement: Judgement,
    *,
    folder: Path,
    log: Path | None,
    report: Path | None = None,
    plan_path: Path = PLAN,
    suites: Path = SUITES,
    properties: Mapping[str, str] | None = None,
) -> list[Path]:
    """Writes sign-off, matrix (HTML, Markdown) and xUnit into ``folder``; links go to log and report that are there.

    ``properties`` go to the root of the xUnit files, for importers.
    """
    plan, tests = load_plan(plan_path), read_tests(suites)
    of_run = properties or {}
    folder.mkdir(parents=True, exist_ok=True)
    links = Links(*(os.path.relpath(page, folder) if page and page.is_file() else "" for page in (log, report)))
    files = {
        "signoff.html": signoff(plan, results, judgement, tests, links),
        "matrix.html": html(plan, results, judgement, tests, links),
        "matrix.md": markdown(plan, results, judgement, tests, links),
        "xunit.xml": xunit(plan, results, of_run),
        "cases.xml": xunit_of_cases(plan, results, cases(plan, results, tests), of_run),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    link_back(results, folder, links)
    return [folder / name for name in files]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m testplan", description="The test plan as data: is it kept, and what did a run prove?"
    )
    common = _Parser(add_help=False)
    common.add_argument("--plan", type=Path, default=PLAN, help="another plan than testplan/plan.yaml")
    common.add_argument("--suites", type=Path, default=SUITES, help="another folder of suites than suites/")
    commands = parser.add_subparsers(required=True, metavar="check | document | report | gate", parser_class=_Parser)

    check = commands.add_parser("check", parents=[common], help="do plan and suites say the same? (offline)")
    check.add_argument("--open", action="store_true", help="list what is open, one line each")
    check.set_defaults(command=_check)

    document = commands.add_parser("document", parents=[common], help="write docs/test-plan.md")
    document.add_argument("--page", type=Path, default=DOCUMENT, help="another file than docs/test-plan.md")
    document.set_defaults(command=_document)

    report = commands.add_parser(
        "report", parents=[common], help="sign-off, matrix (HTML, Markdown) and xUnit of a run"
    )
    report.add_argument("output", type=Path, metavar="OUTPUT.xml")
    report.add_argument("--folder", type=Path, help="where to write; default: beside the result file")
    report.add_argument("--log", type=Path, help="Robot's log to link to; default: log.html beside the result file")
    report.add_argument(
        "--property",
        type=_property,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a property of the run in xunit.xml and cases.xml, such as polarion-project-id=CNV; may be repeated",
    )
    report.set_defaults(command=_report)

    gate = commands.add_parser(
        "gate",
        parents=[common],
        help="the verdict on a run, as exit code",
        epilog=GATE_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    gate.add_argument("output", type=Path, metavar="OUTPUT.xml")
    gate.set_defaults(command=_gate)
    return parser


def _property(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f'"{text}": expected NAME=VALUE, such as polarion-testrun-id=nightly')
    return name, value


def _check(arguments: argparse.Namespace) -> int:
    plan = load_plan(arguments.plan)
    tests = read_tests(arguments.suites)
    found = problems(plan, tests, load_vocabulary())
    # Another plan has its own chapters, beside it, or none.
    chapters = arguments.plan.with_name(CHAPTERS.name)
    opened: list[str] = []
    if chapters.is_file():
        document = Document(plan, load_chapters(chapters), tests, read_forms(arguments.suites))
        found += review_problems(document)
        opened = open_points(plan, document.chapters)
    for problem in found:
        print(problem, file=sys.stderr)
        for name in not_checked():
            print(f"not checked: {name}")
    for point in opened if arguments.open else ():
        print(f"[ ] open: {point}")
    automated = sum(scenario.automated for scenario in plan.scenarios)
    open_rows = sum(row.status == "planned" for row in plan.requirements)
    print(
        f"test plan: {len(plan.requirements)} requirements, {open_rows} of them planned; "
        f"automated scenarios: {automated}; tests: {len(tests)}; open: {len(opened)}; problems: {len(found)}"
    )
    return 1 if found else 0


def _document(arguments: argparse.Namespace) -> int:
    chapters = load_chapters(arguments.plan.with_name(CHAPTERS.name))
    document = Document(load_plan(arguments.plan), chapters, read_tests(arguments.suites), read_forms(arguments.suites))
    arguments.page.write_text(document.text(), encoding="utf-8")
    print(arguments.page)
    return 0


def _report(arguments: argparse.Namespace) -> int:
    judgement, results = judge_run(arguments.output, arguments.plan, arguments.suites)
    if results is None:
        print(judgement, file=sys.stderr)
        return Exit.NOT_PROVEN
    beside = arguments.output.parent
    for path in write_reports(
        results,
        judgement,
        folder=arguments.folder or beside,
        log=arguments.log or beside / "log.html",
        report=beside / "report.html",
        plan_path=arguments.plan,
        suites=arguments.suites,
        properties=dict(arguments.property),
    ):
        print(path)
    return 0


def _gate(arguments: argparse.Namespace) -> int:
    judgement, _ = judge_run(arguments.output, arguments.plan, arguments.suites)
    print(judgement)
    return judgement.exit


if __name__ == "__main__":
    # Into a pager or head that ends early, as other programs do.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
