# SPDX-License-Identifier: Apache-2.0
"""Every verdict of a suite with what it was made of, so that it can be made again from evidence.

A verdict is a function of the history or of samples that returns what it saw, or raises; it reads no clock but the
history's, no cluster and no guest. `livenad.rejudge` saves the log and makes its verdicts again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from livenad.api.history import History
from livenad.changes import Change
from livenad.errors import LabError, ProductFault, TestError
from livenad.foreign_migrations import judged_before, note

JudgedBy = Callable[..., str]

PASS, FAIL, LAB_ERROR, TEST_ERROR = "PASS", "FAIL", "LAB ERROR", "TEST ERROR"


@dataclass(frozen=True)
class Outcome:
    """``status`` as in the report, and what the verdict said."""

    status: str
    message: str

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


@dataclass(frozen=True)
class Verdict:
    """One verdict: ``function`` of ``arguments``, before them the history if ``states`` is not None.

    ``states`` of them had arrived then, at the moment ``now`` (monotonic clock). With ``since`` the rule on foreign
    migrations was applied from that change on. ``wall`` is seconds since the epoch.
    """

    function: JudgedBy
    arguments: tuple[object, ...]
    since: Change | None
    states: int | None
    now: float
    wall: float
    outcome: Outcome

    def made_again(self, history: History) -> Outcome:
        """What comes of it now; ``history`` must be that of then."""
        if self.states is None:
            return _outcome(lambda: self.function(*self.arguments))[0]
        judging = Judging(history, self.function, self.arguments, self.since, self.now)
        with suppress(ProductFault, LabError, TestError), judging:
            judging.said = self.function(history, *self.arguments)
        return judging.outcome


class Judging:
    """A verdict on the history that is being made: in its ``with`` the history stands still.

    The body sets ``said`` to what the verdict returns. At the end the rule on foreign migrations is applied: it may add
    to ``said``, put it in the place of a fault, or put another error there. Then ``outcome`` is known.
    """

    def __init__(
        self,
        history: History,
        function: JudgedBy,
        arguments: tuple[object, ...],
        since: Change | None,
        at: float | None = None,
    ) -> None:
        self.history, self.function, self.arguments, self._since = history, function, arguments, since
        self._still = history.standing_still(at)
        self.said = ""
        self.states, self.now = 0, 0.0
        self.outcome = Outcome(LAB_ERROR, "it was not made")

    def __enter__(self) -> Judging:
        self.now, self.states = self._still.__enter__(), len(self.history)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        try:
            if error is None or isinstance(error, ProductFault | LabError | TestError):
                self.outcome, told = _outcome(lambda: self._by_rule(error))
                self.said = self.outcome.message
                if told is not None and told is not error:
                    raise told from None
                return told is None
            return False
        finally:
            self._still.__exit__(None, None, None)

    def _by_rule(self, error: Exception | None) -> str:
        history, since = self.history, self._since
        if error is None:
            return self.said + (note(history, since) if since else "")
        if since is None or not isinstance(error, ProductFault):
            raise error
        return judged_before(history, since, error, lambda known: self.function(known, *self.arguments))

    def verdict(self) -> Verdict:
        """The verdict as it was made."""
        arguments = (self.function, self.arguments, self._since)
        return Verdict(*arguments, self.states, self.now, time.time(), self.outcome)


class VerdictLog:
    """The verdicts of one suite on one history, oldest first. Safe for several threads."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._lock = threading.Lock()
        self._verdicts: list[Verdict] = []

    def all(self) -> list[Verdict]:
        """Every verdict until now."""
        with self._lock:
            return list(self._verdicts)

    @contextmanager
    def judging(self, function: JudgedBy, arguments: tuple[object, ...], since: Change | None) -> Iterator[Judging]:
        """A verdict on the history that is being made, and is kept when it was."""
        judging = Judging(self._history, function, arguments, since)
        try:
            with judging:
                yield judging
        finally:
            self._add(judging.verdict())

    def forget_last(self) -> None:
        """Of a fault that is not told, as the verdict is made once more."""
        with self._lock:
            self._verdicts.pop()

    def of_history(self, function: JudgedBy, *arguments: object) -> str:
        """What a verdict on the history says, which it also raises; it applies the foreign rule itself."""
        with self.judging(function, arguments, None) as judging:
            judging.said = function(self._history, *arguments)
        return judging.said

    def of_samples(self, function: JudgedBy, *arguments: object) -> str:
        """What a verdict on samples says, which it also raises."""
        outcome, error = _outcome(lambda: function(*arguments))
        self._add(Verdict(function, arguments, None, None, time.monotonic(), time.time(), outcome))
        if error is not None:
            raise error
        return outcome.message

    def _add(self, verdict: Verdict) -> None:
        with self._lock:
            self._verdicts.append(verdict)


def _outcome(judge: Callable[[], str]) -> tuple[Outcome, Exception | None]:
    try:
        return Outcome(PASS, judge()), None
    except ProductFault as fault:
        return Outcome(FAIL, str(fault)), fault
    except LabError as error:
        return Outcome(LAB_ERROR, str(error)), error
    except TestError as error:
        return Outcome(TEST_ERROR, str(error)), error
