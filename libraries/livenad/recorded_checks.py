# SPDX-License-Identifier: Apache-2.0
"""Checks whose outcome and message were recorded, by title, and are judged later."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from livenad.errors import LAB_ERROR_PREFIX, TEST_ERROR_PREFIX, LabError, ProductFault, TestError
from livenad.text import human


@dataclass(frozen=True)
class Outcome:
    """The outcome of a check: ``message`` of its failure, None when it passed; ``said`` is the message of a pass.

    ``evidence`` links to what was kept when it failed, "" for none. ``unobserved`` is what it could not observe.
    """

    message: str | None
    said: str = ""
    evidence: str = ""
    unobserved: tuple[str, ...] = ()
    wall: float = field(default_factory=time.time)
    at: float = field(default_factory=time.monotonic)

    def when(self) -> str:
        """``at 14:03:21, 12 s ago``."""
        return f"at {time.strftime('%H:%M:%S', time.localtime(self.wall))}, {human(time.monotonic() - self.at)} ago"


class RecordedChecks:
    """The recorded checks of a suite.

    ``evidence`` is that of the check that is being made, ``making`` its title, and ``told`` the evidence of the last
    one that failed a test, and ``unobserved`` what the last one that was judged could not observe.
    """

    def __init__(self) -> None:
        self.evidence = ""
        self.making = ""
        self.told = ""
        self.unobserved: tuple[str, ...] = ()
        self._outcomes: dict[str, Outcome] = {}

    def record(self, title: str, message: str | None, said: str = "", unobserved: Sequence[str] = ()) -> None:
        """Store the message of a failed check, or None and the message of a passed one."""
        self._outcomes[title] = Outcome(message, said, self.evidence, tuple(unobserved))
        self.evidence = ""

    def require_passed(self, title: str) -> str:
        """When a check was made and its message.

        Raises the error of a failed check with its message; TestError when no check of this title was recorded.
        """
        if title not in self._outcomes:
            listed = ", ".join(f'"{known}"' for known in self._outcomes) or "none"
            raise TestError(f'check "{title}" was not recorded in this suite; recorded are: {listed}')
        outcome = self._outcomes[title]
        self.told, self.unobserved = outcome.evidence, outcome.unobserved
        message = outcome.message
        if message is None:
            return f'Check "{title}", made {outcome.when()}: {outcome.said or "it passed"}'
        for prefix, error in ((LAB_ERROR_PREFIX, LabError), (TEST_ERROR_PREFIX, TestError)):
            if message.startswith(prefix):
                raise error(message)
        raise ProductFault(message or f'"{title}" failed when it was recorded')
