"""Keywords: judge something now and let a test say it later, for what can be seen only between two acts."""

from __future__ import annotations

from livenad.context import Run
from livenad.errors import LAB_ERROR_PREFIX, BadInput, LabError, ProductFault
from robot.api.deco import keyword
from robot.libraries.BuiltIn import BuiltIn

from KubeVirtLibrary.reporting import step


class ObservationKeywords:
    """A suite setup that acts twice observes in between; the tests then run in any order."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], str | None] = {}

    @keyword(name="Observe", tags=["verdict"])
    def observe(self, title: str, verdict: str, *arguments: object) -> None:
        """Runs a verdict and notes its outcome, which `Observation Should Hold` tells; fails with nothing itself.

        Args:
        | ``title`` | what the observation is called. |
        | ``verdict`` | a keyword that judges. |
        | ``arguments`` | its arguments. |
        """
        status, message = BuiltIn().run_keyword_and_ignore_error(verdict, *arguments)
        self._made[Run.current().scope, title] = None if status == "PASS" else str(message)
        step(f'Observed "{title}": {status}')

    @keyword(name="Observation Should Hold", tags=["verdict"])
    def observation_should_hold(self, title: str) -> None:
        """Fails as the verdict of an observation failed when it was made.

        Args:
        | ``title`` | what `Observe` called it. |
        """
        key = (Run.current().scope, title)
        if key not in self._made:
            raise BadInput(f'"{title}" was not observed in this suite; call `Observe` in its setup')
        message = self._made[key]
        if message is None:
            return
        if message.startswith(LAB_ERROR_PREFIX):
            raise LabError(message)
        raise ProductFault(message or f'"{title}" did not hold when it was observed')
