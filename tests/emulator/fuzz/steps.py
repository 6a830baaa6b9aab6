# SPDX-License-Identifier: Apache-2.0
"""What is played: steps on one VM, sequences of them, and batches of sequences that share a cluster; all of it data.

A batch can be written as JSON and read again: that is how a violation is played once more.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

# The networks of every sequence's own namespace, by the last part of their NAD's name; LATE comes by a step only.
NETWORKS = ("a", "b", "c", "l")
LATE = "late"
# One more, in a namespace that all sequences share.
SHARED = "shared/nad-s"
NICS = ("net1", "net2", "net3")

# What a step may wait for before the next one: nothing, that all has come to rest, a phase of the migration that is
# under way, or another moment in the VM's life.
AT_ONCE, SETTLED = "at once", "settled"
PHASES = ("Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running")
MOMENTS = ("signalled", "switched", "ended", "created", "scheduled")


@dataclass(frozen=True)
class Step:
    """``do`` names what is done, ``nics`` to which NICs: (name, network) pairs, the network "" where it has none.

    A network is ``a`` (of the own namespace), ``@a`` (the same one by its qualified name) or ``namespace/name``.
    ``then`` is what is waited for.
    """

    do: str
    nics: tuple[tuple[str, str], ...] = ()
    then: str = SETTLED

    def __str__(self) -> str:
        what = " ".join(f"{name}={network}" if network else name for name, network in self.nics)
        return f"{self.do}{' ' + what if what else ''} [{self.then}]"


@dataclass(frozen=True)
class Sequence:
    """A VM's life: the NICs that it is created with, whether it can be live-migrated, and what befalls it."""

    nics: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    movable: bool = True

    def __str__(self) -> str:
        start = " ".join(f"{name}={network}" for name, network in self.nics)
        kind = "" if self.movable else ", cannot migrate"
        return f"({start}{kind}) " + "; ".join(map(str, self.steps))


@dataclass(frozen=True)
class Outage:
    """Something that befalls a node (by its number) for some seconds of the real control plane.

    ``what``: ``cordon``, ``not ready``, ``deleted`` (the Node object), or ``agent`` (the node agent of all nodes dies,
    and its guests with it; another one starts).
    """

    what: str
    node: int = 0
    seconds: float = 30.0

    def __str__(self) -> str:
        return f"{self.what} {self.node} for {self.seconds:g} s"


@dataclass(frozen=True)
class Batch:
    """Sequences that are played side by side, each in a namespace of its own.

    ``version``: the profile of KubeVirt; ``limits``: whether the cluster's own limits for migrations count, else there
    are none worth speaking of; ``dynamic``: whether the Dynamic Networks Controller runs.
    """

    version: str
    sequences: tuple[Sequence, ...]
    outages: tuple[Outage, ...] = ()
    limits: bool = False
    dynamic: bool = False
    defects: tuple[str, ...] = field(default=())

    def text(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Batch:
        """ValueError, TypeError or KeyError for what ``text`` never made."""
        raw: dict[str, Any] = json.loads(text)
        sequences = tuple(
            Sequence(_pairs(one["nics"]), tuple(_step(step) for step in one["steps"]), one["movable"])
            for one in raw.pop("sequences")
        )
        outages = tuple(Outage(**one) for one in raw.pop("outages"))
        defects = tuple(raw.pop("defects"))
        return cls(sequences=sequences, outages=outages, defects=defects, **raw)


def _step(raw: dict[str, Any]) -> Step:
    return Step(raw["do"], _pairs(raw["nics"]), raw["then"])


def _pairs(raw: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, network) for name, network in raw)
