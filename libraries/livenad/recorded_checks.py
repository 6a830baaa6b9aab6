"""Checks that were made at one moment and are judged later: outcome and message by title."""

from __future__ import annotations

from livenad.errors import LAB_ERROR_PREFIX, TEST_ERROR_PREFIX, LabError, ProductFault, TestError


class RecordedChecks:
    """The recorded checks of a suite."""

    def __init__(self) -> None:
        self._messages: dict[str, str | None] = {}

    def record(self, title: str, message: str | None) -> None:
        """Store the message of a failed check, None for one that passed."""
        self._messages[title] = message

    def require_passed(self, title: str) -> None:
        """Raise the error of a failed check with its message; TestError when no check of this title was recorded."""
        if title not in self._messages:
            listed = ", ".join(f'"{known}"' for known in self._messages) or "none"
            raise TestError(f'check "{title}" was not recorded in this suite; recorded are: {listed}')
        message = self._messages[title]
        if message is None:
            return
        for prefix, error in ((LAB_ERROR_PREFIX, LabError), (TEST_ERROR_PREFIX, TestError)):
            if message.startswith(prefix):
                raise error(message)
        raise ProductFault(message or f'"{title}" did not hold when it was checked')
