# SPDX-License-Identifier: Apache-2.0
"""The pace of the embedded cluster: the real control plane's delays, divided. The order never changes."""

from __future__ import annotations

import asyncio
import time


def clock() -> float:
    """Monotonic seconds of the running event loop, which its delays use; without a loop, those of the process."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


class Pace:
    """Converts the real control plane's seconds to this cluster's."""

    def __init__(self, speed: float = 5.0) -> None:
        if not speed > 0:
            raise ValueError(f"speed is {speed!r}; expected a number above 0, such as 5")
        self.speed = speed

    def seconds(self, real: float) -> float:
        return real / self.speed

    async def sleep(self, real: float) -> None:
        """Waits for ``real`` seconds of the real control plane."""
        await asyncio.sleep(self.seconds(real))
