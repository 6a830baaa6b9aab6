# SPDX-License-Identifier: Apache-2.0
"""Keywords that run commands in guests."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from KubeVirtLibrary.log import folded
from KubeVirtLibrary.types import VmName
from livenad.guest.shells import shorten
from livenad.model import CommandResult
from robot.api.deco import keyword

from GuestLibrary.guest_component import GuestComponent

Via = Literal["auto", "ssh", "console"]


class CommandKeywords(GuestComponent):
    """Commands in guests."""

    @keyword(name="Run In Guest", tags=["commands", "core"])
    def run_in_guest(
        self,
        vm: VmName,
        command: str,
        *,
        via: Via = "auto",
        timeout: timedelta = timedelta(seconds=30),
        check: bool = True,
    ) -> CommandResult:
        """Runs a command in a guest and returns its result.

        The result has the attributes ``stdout``, ``stderr``, ``exit_code`` and ``seconds`` (how long it took). The
        command is a POSIX shell command with empty input. It is not repeated if the connection breaks while it runs.

        Args:
        | ``vm`` | a VM that runs. |
        | ``command`` | command line. |
        | ``via`` | ``ssh``, ``console``, or ``auto``: SSH, or the console if SSH fails or there is no pod |
        | | network. |
        | ``timeout`` | longest wait, including the login. |
        | ``check`` | whether the keyword fails if the exit code is not 0. |

        Example:
        | ${result}    Run In Guest    web    ip -brief address show
        | Should Contain    ${result.stdout}    10.10.0.10/24
        """
        guests, name = self.guests, self.vm(vm).name
        shell = {"auto": guests.shell, "ssh": guests.ssh, "console": guests.console}[via](name)
        result = shell.run(command, timeout.total_seconds(), check=check)
        folded(
            f"{shorten(command)} in {shell.name}: status {result.exit_code} after {result.seconds * 1000:.0f} ms",
            "output",
            (result.stdout + result.stderr)[-20000:],
        )
        return result
