"""Keywords that run commands in guests."""

from __future__ import annotations

import html
from datetime import timedelta

from livenad.context import Run
from livenad.guest.shells import shorten
from livenad.model import CommandResult
from robot.api import logger
from robot.api.deco import keyword

from GuestLibrary.charting import log_connectivity
from GuestLibrary.context import Via, current_guests


class CommandKeywords:
    """Commands in guests, and the end of all sessions."""

    @keyword(tags=["guest"])
    def run_in_guest(
        self,
        vm: str,
        command: str,
        *,
        via: Via = Via.auto,
        timeout: timedelta = timedelta(seconds=30),
        check: bool = True,
    ) -> CommandResult:
        """Runs a command in a guest and returns its result.

        The result has ``stdout``, ``stderr``, ``exit_code`` and ``seconds``. It is a POSIX shell command; its input is
        empty. It is not repeated when the connection breaks while it runs.

        Args:
        | ``vm``      | Name of the VM. |
        | ``command`` | Command line. |
        | ``via``     | ``ssh``, ``console``, or ``auto``: SSH where the VM has a pod network, else the console. |
        | ``timeout`` | How long it may take, connecting included. |
        | ``check``   | Whether an exit status other than 0 is an error. |
        """
        guests = current_guests()
        shell = {Via.auto: guests.shell, Via.ssh: guests.ssh, Via.console: guests.console}[via](vm)
        result = shell.run(command, timeout.total_seconds(), check=check)
        said = html.escape((result.stdout + result.stderr)[-20000:])
        logger.info(
            f"{html.escape(shorten(command))} in {html.escape(shell.name)}: status {result.exit_code} after "
            f"{result.seconds * 1000:.0f} ms<details><summary>output</summary><pre>{said}</pre></details>",
            html=True,
        )
        return result

    @keyword(tags=["guest"])
    def close_guests(self) -> None:
        """Ends all SSH and console sessions. The guests run on; what was remembered of them is forgotten.

        The log shows a chart of who answered whom around each swap; its data is beside the log, in
        ``connectivity-<namespace>-<vm>.json``.
        """
        if Run.current_or_none() is None:
            return
        guests = current_guests()
        try:
            log_connectivity(guests)
        except Exception as error:  # a chart that cannot be drawn must not keep the sessions open
            logger.warn(f"No chart of connectivity: {error}")
        guests.close()
