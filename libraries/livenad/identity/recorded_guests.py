# SPDX-License-Identifier: Apache-2.0
"""The recorded identities of a suite's guests."""

from __future__ import annotations

import time
from dataclasses import dataclass

from livenad.errors import TestError
from livenad.identity.guest_identity import GuestIdentity


@dataclass(frozen=True)
class RecordedGuest:
    """The identity of a guest at ``at`` (monotonic clock)."""

    identity: GuestIdentity
    at: float


class RecordedGuests:
    """The last record of each guest, by the VM's name on the cluster."""

    def __init__(self) -> None:
        self._records: dict[str, RecordedGuest] = {}

    def record(self, name: str, identity: GuestIdentity) -> None:
        """Store the identity of a guest for a later comparison."""
        self._records[name] = RecordedGuest(identity, time.monotonic())

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def __getitem__(self, name: str) -> RecordedGuest:
        """The record of a guest. TestError when there is none."""
        if name not in self._records:
            raise TestError(f"guest {name} was not recorded; call `Record Guest` before the change")
        return self._records[name]

    def forget(self, name: str) -> None:
        """Remove the record of a guest whose VM is removed."""
        self._records.pop(name, None)

    def boot_ids(self) -> dict[str, str]:
        """The boot id of each recorded guest."""
        return {name: one.identity.boot_id for name, one in self._records.items()}
