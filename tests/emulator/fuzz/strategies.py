# SPDX-License-Identifier: Apache-2.0
"""Hypothesis' strategies: random sequences in which every step is legal where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from .steps import AT_ONCE, LATE, MOMENTS, NETWORKS, NICS, PHASES, SETTLED, SHARED, Batch, Outage, Sequence, Step

VERSIONS = ("1.9", "1.9", "main", "main", "1.8-gate", "1.8", "1.7")
# Twice as often as the rest, because there is most to go wrong: edits.
NETWORK = st.sampled_from((*NETWORKS, *NETWORKS, "@a", "@b", SHARED, LATE))
START = st.sampled_from((*NETWORKS, "@a", SHARED))
THEN = st.sampled_from((SETTLED,) * 5 + (AT_ONCE,) * 4 + PHASES + MOMENTS)
EDITS = ("edit",) * 6 + ("back",)
ON_RUNNING = ("migrate", "migrate", "abort", "restart", "stop", "delete vmi", "delete pod", "delete target")


@dataclass
class Sketch:
    """What is known of a VM while its sequence is drawn."""

    nics: dict[str, str]
    movable: bool
    running: bool = True
    late: bool = False
    before: dict[str, str] = field(default_factory=dict)
    leaving: set[str] = field(default_factory=set)

    def choices(self) -> list[str]:
        found = [*EDITS] if self.nics else []
        if not self.late:
            found.append("create nad")
        found += ["mac", "cores", "drop"] if self.nics else ["cores"]
        found += ON_RUNNING if self.running else ["start", "start"]
        if self.movable:
            # A NIC that a VM gets while it cannot migrate stays outside of its guest: nothing to be seen there.
            found += ["plug"] * 2 if self.free else []
            found += ["unplug"] if self.nics and self.running else []
        return found

    @property
    def free(self) -> list[str]:
        return [name for name in NICS if name not in self.nics and name not in self.leaving]


@st.composite
def steps(draw: DrawFn, sketch: Sketch) -> Step:
    do = draw(st.sampled_from(sketch.choices()))
    nics: tuple[tuple[str, str], ...] = ()
    names = sorted(sketch.nics)
    if do == "edit":
        chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
        nics = tuple((name, draw(NETWORK)) for name in chosen)
        sketch.before = dict(sketch.nics)
        sketch.nics.update(nics)
    elif do == "back":
        nics = tuple((name, sketch.before.get(name, sketch.nics[name])) for name in names)
        do, sketch.before = "edit", dict(sketch.nics)
        sketch.nics.update(nics)
    elif do == "plug":
        nics = ((sketch.free[0], draw(START)),)
        sketch.nics.update(nics)
    elif do in ("unplug", "drop"):
        name = draw(st.sampled_from(names))
        nics = ((name, ""),)
        del sketch.nics[name]
        sketch.leaving.add(name)
    elif do == "mac":
        nics = ((draw(st.sampled_from(names)), ""),)
    elif do == "create nad":
        sketch.late = True
    elif do in ("stop", "start"):
        sketch.running = do == "start"
    return Step(do, nics, draw(THEN))


@st.composite
def sequences(draw: DrawFn, *, one_by_one: bool = False) -> Sequence:
    """``one_by_one``: every step comes to rest before the next."""
    count = draw(st.sampled_from((1, 1, 2)))
    nics = {name: draw(START) for name in NICS[:count]}
    sketch = Sketch(dict(nics), movable=draw(st.sampled_from((True,) * 5 + (False,))))
    length = draw(st.integers(2, 4))
    drawn = tuple(draw(steps(sketch)) for _ in range(length))
    if one_by_one:
        drawn = tuple(_at_rest(step) for step in drawn)
    return Sequence(tuple(nics.items()), drawn, sketch.movable)


def _at_rest(step: Step) -> Step:
    nics = tuple((name, "a" if network == LATE else network) for name, network in step.nics)
    return replace(step, nics=nics, then=SETTLED)


OUTAGES: SearchStrategy[Outage] = st.builds(
    Outage,
    what=st.sampled_from(("cordon", "cordon", "not ready", "deleted", "agent")),
    node=st.integers(0, 2),
    seconds=st.sampled_from((5.0, 30.0, 120.0)),
)


@st.composite
def batches(draw: DrawFn, size: int, defects: tuple[str, ...] = ()) -> Batch:
    """Batches of ``size`` sequences."""
    # Where the Dynamic Networks Controller gets a hot-plug and a changed NAD in one request, it takes the interface
    # away and later makes one that leads nowhere: a limit of the real one, so the two never meet here.
    dynamic = draw(st.sampled_from((False, False, False, True)))
    drawn = draw(st.lists(sequences(one_by_one=dynamic), min_size=size, max_size=size))
    return Batch(
        version=draw(st.sampled_from(VERSIONS)),
        sequences=tuple(drawn),
        outages=() if dynamic else tuple(draw(st.lists(OUTAGES, max_size=3))),
        limits=draw(st.booleans()),
        dynamic=dynamic,
        defects=defects,
    )
