# SPDX-License-Identifier: Apache-2.0
"""Work in several guests side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from livenad.errors import LabError


def in_parallel(names: Sequence[str], work: Callable[[str], object], failures: dict[str, LabError]) -> None:
    """Calls ``work(name)`` for every name in a thread of its own; LabErrors are gathered, other errors raised."""
    others: list[BaseException] = []

    def guarded(name: str) -> None:
        try:
            work(name)
        except LabError as error:
            failures[name] = error
        except BaseException as error:
            others.append(error)

    threads = [threading.Thread(target=guarded, args=(name,), name=f"guest {name}", daemon=True) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if others:
        raise others[0]
