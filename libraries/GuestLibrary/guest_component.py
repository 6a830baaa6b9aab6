"""What all guest keywords share: the guests of the open suite, and whose fault it is when a check does not hold."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from KubeVirtLibrary.base import KeywordComponent
from livenad.errors import LabError, ProductFault
from livenad.guest.guests import Guests
from livenad.reachability.measurements import Measurements

Blame = Literal["product", "lab"]


class Family(enum.Enum):
    """By which addresses guests are asked."""

    ipv4 = 4
    ipv6 = 6


class GuestComponent(KeywordComponent):
    """Guest keywords of one topic."""

    @property
    def guests(self) -> Guests:
        """The guests of the open suite."""
        guests = self.suite.guests
        guests.tell_warnings()
        return guests

    @property
    def measurements(self) -> Measurements:
        """What was measured between the guests of the open suite."""
        self.guests.tell_warnings()
        return self.suite.measurements


@contextmanager
def blamed_on(blame: Blame) -> Iterator[None]:
    """Turn a fault of the product into a LAB ERROR where the lab is to blame: the product has not acted yet."""
    try:
        yield
    except ProductFault as fault:
        if blame == "product":
            raise
        raise LabError(f"before the act: {fault}") from None
