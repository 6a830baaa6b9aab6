# SPDX-License-Identifier: Apache-2.0
"""The listener: evidence at the first failing step, the end of what a suite opened, and Robot's own words for misuse.

It works while everything still exists: teardowns have not begun. It never raises, so it never changes a verdict.
"""

from __future__ import annotations

import html
import re
import shutil
from typing import Any

from livenad.context import Run, Session
from livenad.recorded_checks import RecordedChecks
from livenad.report.evidence.evidence_page import Failure
from livenad.report.evidence.store import Allowance
from robot.api import logger

from KubeVirtLibrary.log import output_folder
from KubeVirtLibrary.opening import close_quietly, close_suite
from KubeVirtLibrary.recorded_checks import RECORD_CHECK, TELL_CHECK

FOLDER = "evidence"
METADATA = "Evidence"
UNOBSERVED = "Not observed"
_STOPPED = "Execution terminated by signal"
_LONGEST_NAME = 60


_CATCHERS = ("Run Keyword And ", "Wait Until Keyword Succeeds")


def _above(result: Any) -> list[Any]:
    """The steps that a step is in, outermost first."""
    found: list[Any] = []
    while type(result.parent).__name__ not in ("TestCase", "TestSuite", "NoneType"):
        result = result.parent
        if hasattr(result, "type"):
            found.insert(0, result)
    return found


def _name_of(step: Any) -> str:
    """The name of a keyword, "" for loops, branches and the like."""
    return str(step.name or "") if step.type in ("KEYWORD", "SETUP", "TEARDOWN") else ""


def _catches(step: Any) -> bool:
    """Whether a step may outlive a failure in it."""
    return step.type == "TRY" or _name_of(step).startswith(_CATCHERS)


class SuiteListener:
    """Robot tells it of each step and of each suite that ended."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, session: Session) -> None:
        self._session = session
        self._allowance = Allowance()
        self._of_suite = ""
        self._of_test = ""
        self._is_kept = False
        self._has_failed = False
        self._number = 0

    def start_suite(self, data: Any, result: Any) -> None:
        """A suite has an allowance of its own."""
        self._allowance, self._of_suite = Allowance(), ""

    def start_test(self, data: Any, result: Any) -> None:
        """The first failing step of this test is still to come."""
        self._of_test, self._is_kept, self._has_failed = "", False, False
        if (run := self._session.run) and run.suite:
            run.suite.unobserved.clear()

    def end_body_item(self, data: Any, result: Any) -> None:
        """Evidence is kept as soon as a step has failed that fails its test or the setup of its suite.

        That is the innermost one, before teardowns of what it is in; also one in `Record Check`, which fails its test
        later. Others that catch failures are waited for.
        """
        failed = getattr(result, "status", "") == "FAIL"
        above = _above(result)
        top = above[0] if above else result
        owner = type(top.parent).__name__
        if failed and (checks := self._recorded_checks(above)) is not None:
            checks.evidence = checks.evidence or self._keep(result, top.parent, checks.making)
        elif failed and any(_catches(one) for one in above):
            return
        elif owner == "TestCase":
            self._note_of_test(result, top, failed=failed)
        elif failed and owner == "TestSuite" and top.type == "SETUP" and not self._of_suite:
            self._of_suite = self._keep(result, top.parent)

    def _note_of_test(self, result: Any, top: Any, *, failed: bool) -> None:
        """Keep evidence of the first failure of a test, and forget that of one which a step outlived.

        Of a recorded check there is what was kept when it was made: what is seen now says nothing of that time.
        """
        if failed and not self._is_kept:
            self._is_kept = True
            self._of_test = (
                self._of_recorded_check() if _name_of(result) == TELL_CHECK else self._keep(result, top.parent)
            )
        if result is top and not self._has_failed:
            self._is_kept = self._has_failed = failed
            self._of_test = self._of_test if failed else ""

    def end_test(self, data: Any, result: Any) -> None:
        """The report shows where the evidence is, and what a test that passed could not observe."""
        run = self._session.run
        if result.status == "PASS" and run and run.suite and run.suite.unobserved:
            result.metadata[UNOBSERVED] = "; ".join(dict.fromkeys(run.suite.unobserved))
        link = self._of_test or self._of_suite
        if result.status == "FAIL" and link:
            result.metadata[METADATA] = f"[{link}|kept]"

    def end_suite(self, data: Any, result: Any) -> None:
        """The same for a setup that failed; and what this suite opened is closed."""
        if self._of_suite:
            result.metadata[METADATA] = f"[{self._of_suite}|kept]"
        self._of_suite = ""
        run = self._session.run
        if run is None:
            return
        if run.suite is not None and run.suite.opened_in == data.full_name:
            close_suite(run)
        if run.opened_in == data.full_name:
            close_quietly(self._session)

    def _recorded_checks(self, above: list[Any]) -> RecordedChecks | None:
        """The recorded checks of the open suite, where `Record Check` is among the steps above."""
        run = self._session.run
        if run is None or run.suite is None or all(_name_of(one) != RECORD_CHECK for one in above):
            return None
        return run.suite.checks

    def _of_recorded_check(self) -> str:
        """Link to the evidence of the recorded check that has just failed its test; "" for none."""
        run = self._session.run
        link = run.suite.checks.told if run is not None and run.suite is not None else ""
        if link:
            logger.info(
                f'Evidence, kept when the check was made: <a href="{html.escape(link)}">{html.escape(link)}</a>',
                html=True,
            )
        return link

    def _keep(self, result: Any, owner: Any, check: str = "") -> str:
        """Collect, and link the first page under the failing step; "" when there is none.

        ``check`` is the title of the recorded check that failed, "" for a test or a suite setup.
        """
        run = self._session.run
        message = str(result.message)
        if run is None or self._allowance.spent or message.startswith(_STOPPED):
            return ""
        folder = None
        try:
            from livenad.report.evidence.collecting import collect  # noqa: PLC0415 - few runs fail

            output = output_folder()
            folder = output / FOLDER / self._name(run, check or owner.name)
            where = f'{owner.full_name}, recorded check "{check}"' if check else owner.full_name
            failure = Failure(where, _name_of(result), message, owner.metadata.get("Requirements", ""))
            link = collect(run, failure, folder, self._allowance).relative_to(output).as_posix()
            logger.info(f'Evidence: <a href="{html.escape(link)}">{html.escape(link)}</a>', html=True)
        except Exception as error:  # evidence is a help, never a reason to fail
            logger.info(f"No evidence could be kept: {type(error).__name__}: {error}")
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            return ""
        return link

    def _name(self, run: Run, name: str) -> str:
        """Unique among all runs, so that results which are merged, or copied together, keep theirs."""
        self._number += 1
        words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST_NAME]
        return f"{run.run_id}-{self._number}-{words}"
