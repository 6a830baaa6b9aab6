"""The listener: evidence at the first failing step, the end of what a suite opened, and Robot's own words for misuse.

It works while everything still exists: teardowns have not begun. It never raises, so it never changes a verdict.
"""

from __future__ import annotations

import html
import re
import shutil
from typing import Any

from livenad.context import Run, Session
from livenad.report.evidence.evidence_page import Failure
from livenad.report.evidence.store import Allowance
from robot.api import logger

from KubeVirtLibrary.log import output_folder
from KubeVirtLibrary.opening import close_quietly, close_suite

FOLDER = "evidence"
METADATA = "Evidence"
_STOPPED = "Execution terminated by signal"
_LONGEST_NAME = 60


class SuiteListener:
    """Robot tells it of each step and of each suite that ended."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, session: Session) -> None:
        self._session = session
        self._allowance = Allowance()
        self._of_suite = ""
        self._of_test = ""
        self._number = 0

    def start_suite(self, data: Any, result: Any) -> None:
        """A suite has an allowance of its own."""
        self._allowance, self._of_suite = Allowance(), ""

    def start_test(self, data: Any, result: Any) -> None:
        """The first failing step of this test is still to come."""
        self._of_test = ""

    def end_body_item(self, data: Any, result: Any) -> None:
        """A direct child of a test, or the setup of a suite, that failed is what evidence is kept of."""
        if getattr(result, "status", "") != "FAIL":
            return
        parent = type(result.parent).__name__
        if parent == "TestCase" and not self._of_test:
            self._of_test = self._keep(result)
        elif parent == "TestSuite" and result.type == "SETUP":
            self._of_suite = self._keep(result)

    def end_test(self, data: Any, result: Any) -> None:
        """The report shows where the evidence is."""
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

    def _keep(self, result: Any) -> str:
        """Collect, and link the first page under the failing step; "" when there is none."""
        run = self._session.run
        message = str(result.message)
        if run is None or self._allowance.spent or message.startswith(_STOPPED):
            return ""
        folder = None
        try:
            from livenad.report.evidence.collecting import collect  # noqa: PLC0415 - few runs fail

            output = output_folder()
            folder = output / FOLDER / self._name(run, result.parent)
            failure = Failure(result.parent.full_name, result.name or "", message)
            link = collect(run, failure, folder, self._allowance).relative_to(output).as_posix()
            logger.info(f'Evidence: <a href="{html.escape(link)}">{html.escape(link)}</a>', html=True)
        except Exception as error:  # evidence is a help, never a reason to fail
            logger.info(f"No evidence could be kept: {type(error).__name__}: {error}")
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            return ""
        return link

    def _name(self, run: Run, parent: Any) -> str:
        """Unique among all runs, so that results which are merged, or copied together, keep theirs."""
        self._number += 1
        words = re.sub(r"[^a-z0-9]+", "-", parent.name.lower()).strip("-")[:_LONGEST_NAME]
        return f"{run.run_id}-{self._number}-{words}"
