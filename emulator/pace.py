"""How fast the embedded cluster lives: the real control plane's delays, divided. The order never changes."""

from __future__ import annotations

import asyncio
import time


def clock() -> float:
    """Seconds by the clock of the running event loop, the one that its delays go by; without a loop, the process's."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


class Pace:
    """Turns the real control plane's seconds into this cluster's."""

    def __init__(self, speed: float = 5.0) -> None:
        if not speed > 0:
            raise ValueError(f"speed is {speed!r}; expected a number above 0, such as 5")
        self.speed = speed

    def seconds(self, real: float) -> float:
        return real / self.speed

    async def sleep(self, real: float) -> None:
        """Lets ``real`` seconds of the real control plane pass."""
        await asyncio.sleep(self.seconds(real))
