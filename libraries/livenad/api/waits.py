# SPDX-License-Identifier: Apache-2.0
"""Waits for records: each is woken by those that concern it, and by no other."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Any

from livenad.api.kinds import EVENT


class Wait:
    """One sleeper. ``touched`` are the VMs of the records that concern it and came since `begin_anew`.

    ``vms`` are the VMs that it looks at, None for all; a record of no VM concerns each of them. An event concerns it
    only ``with_events``.
    """

    def __init__(self, lock: Any, vms: Collection[str] | None, *, with_events: bool) -> None:
        self._vms = None if vms is None else frozenset(vms)
        self._with_events = with_events
        self._woken = threading.Condition(lock)
        self.touched: set[str] = set()

    def begin_anew(self) -> None:
        """Forget what came; call it with the lock, before looking."""
        self.touched.clear()

    def tell(self, kind: str, vm: str) -> None:
        """A record has come. Call it with the lock."""
        if kind == EVENT.name and not self._with_events:
            return
        if self._vms is None or not vm or vm in self._vms:
            self.touched.add(vm)
            self._woken.notify()

    def sleep(self, seconds: float) -> None:
        """Until something concerns it, or for so long. Call it with the lock."""
        if not self.touched:
            self._woken.wait(seconds)
