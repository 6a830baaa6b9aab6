# SPDX-License-Identifier: Apache-2.0
"""Answers the benchmark: waits for the conditions that it names, by the recorder that all keywords wait by."""

from __future__ import annotations

import sys
import time

from KubeVirtLibrary.base import SESSION
from livenad.api.history import History
from livenad.api.kinds import POD
from livenad.api.status import is_true
from livenad.context import SuiteContext
from robot.libraries.BuiltIn import BuiltIn

WAIT = "Wait Until Pod Has Condition"


class Waits:
    """Keywords of waits.robot. The benchmark writes ``pod condition`` a line, and reads when the keyword returned."""

    ROBOT_LIBRARY_SCOPE = "SUITE"

    def wait_until_pod_has_condition(self, pod: str, condition: str) -> None:
        """Fails after a minute."""
        recorder = _suite().recorder

        def holds(history: History) -> bool:
            found = history.current(POD, pod)
            return found is not None and is_true(found, condition)

        if not recorder.wait_for(holds, 60, f"{condition} of pod {pod}", lambda: "not yet"):
            raise AssertionError(f"{condition} of pod {pod} was never seen")

    def answer_waits(self, namespace_file: str, questions: str, answers: str) -> None:
        """Until the benchmark closes the pipe ``questions``."""
        with open(namespace_file, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(_suite().namespace.name)
        with open(questions, encoding="utf-8") as asked, open(answers, "w", encoding="utf-8") as told:  # noqa: PTH123
            for line in asked:
                BuiltIn().run_keyword(WAIT, *line.split())
                print(time.monotonic(), file=told, flush=True)
        sys.stdout.flush()


def _suite() -> SuiteContext:
    assert SESSION.run is not None, "no cluster is open"
    return SESSION.run.require_suite()
