# SPDX-License-Identifier: Apache-2.0
"""Playing batches: each on a cluster of its own, its sequences side by side, and what came of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from dataclasses import dataclass, field

from emulator.apiserver.store import Event
from emulator.controlplane import names
from emulator.controlplane.accessors import is_final, phase
from emulator.controlplane.run import local_client

from .leaks import Baseline, processes
from .life import Life
from .limits import Limits
from .steps import Batch, Outage
from .violations import Violation
from .world import COMPONENTS, NODES, World, world_of

SPEED = 100.0
PATIENCE = 60.0
# In how many times the patience a batch has to end.
LONGEST = 6


@dataclass
class Finding:
    """A violation: of which sequence (None: of the whole cluster), and what had been done until then."""

    batch: Batch
    number: int | None
    invariant: str
    text: str
    log: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        done = "".join(f"\n    {line}" for line in self.log)
        if self.number is None:
            return f"{self.text}\n  cluster: KubeVirt {self.batch.version}, outages: {_told(self.batch)}"
        sequence = self.batch.sequences[self.number]
        kind = (
            f"KubeVirt {self.batch.version}"
            + ", dynamic networks" * self.batch.dynamic
            + ", limits" * self.batch.limits
        )
        return f"{self.text}\n  {kind}; outages: {_told(self.batch)}\n  sequence {sequence}\n  done:{done}"


def _told(batch: Batch) -> str:
    return ", ".join(map(str, batch.outages)) or "none"


@dataclass
class Tally:
    """What was played: sequences, steps by what they do, migrations by their end, and looks at the wire."""

    sequences: int = 0
    steps: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        steps = ", ".join(f"{count} {name}" for name, count in sorted(self.steps.items()))
        ends = ", ".join(f"{count} {name.lower()}" for name, count in sorted(self.ends.items()))
        return (
            f"{self.sequences} sequences in {self.seconds:.0f} s: steps: {steps}; migrations: {ends or 'none'}; "
            f"{self.looks} looks at the data plane; {len(self.findings)} violations"
        )


async def play(batch: Batch, tally: Tally, *, speed: float = SPEED, patience: float = PATIENCE) -> None:
    """Plays a batch; what must not be is added to ``tally.findings``."""
    began = time.monotonic()
    async with world_of(batch, speed) as world:
        before, limits = Baseline(world), Limits(world)
        world.server.core.store.listeners.append(lambda event: _count_end(event, tally))
        lives = [Life(world, sequence, number, patience) for number, sequence in enumerate(batch.sequences)]
        outages = asyncio.create_task(_outages(world, batch.outages))
        playing = [
            asyncio.create_task(_play_one(life, number, tally), name=f"sequence {number}")
            for number, life in enumerate(lives)
        ]
        done, endless = await asyncio.wait([outages, *playing], timeout=patience * LONGEST)
        for task in endless:
            number = playing.index(task) if task in playing else None
            log = lives[number].log if number is not None else []
            tally.findings.append(Finding(batch, number, "a sequence does not end", f"{task.get_stack()}", log))
            task.cancel()
        for task in done:
            task.result()
        if limits.violation:
            tally.findings.append(Finding(batch, None, limits.violation.invariant, str(limits.violation)))
        if not tally.findings:
            try:
                await before.check()
            except Violation as violation:
                tally.findings.append(Finding(batch, None, violation.invariant, str(violation)))
        tally.looks += world.wire.count
    if left := processes():
        tally.findings.append(Finding(batch, None, "processes outlive the cluster", f"{left} of {os.getpid()}"))
    tally.sequences += len(batch.sequences)
    tally.seconds += time.monotonic() - began


def _count_end(event: Event, tally: Tally) -> None:
    if event.bucket == names.MIGRATION and event.before and is_final(event.item.obj) and not is_final(event.before.obj):
        tally.ends[phase(event.item.obj)] += 1


async def _play_one(life: Life, number: int, tally: Tally) -> None:
    try:
        await life.play()
    except Violation as violation:
        tally.findings.append(Finding(life.world.batch, number, violation.invariant, str(violation), life.log))
    tally.steps.update(step.do for step in life.sequence.steps)


async def _outages(world: World, outages: tuple[Outage, ...]) -> None:
    for outage in outages:
        await world.pace.sleep(outage.seconds)
        await _suffer(world, outage)


async def _suffer(world: World, outage: Outage) -> None:
    node = NODES[outage.node]
    kubelet = local_client(world.server.core, COMPONENTS[0])
    if outage.what == "cordon":
        await world.client.patch(names.NODES, node, None, {"spec": {"unschedulable": True}})
        await world.pace.sleep(outage.seconds)
        await world.client.patch(names.NODES, node, None, {"spec": {"unschedulable": None}})
    elif outage.what == "not ready":
        await world.set_ready(node, False)
        await world.pace.sleep(outage.seconds)
        await world.set_ready(node, True)
    elif outage.what == "deleted":
        gone = await world.client.get(names.NODES, node)
        await world.client.delete(names.NODES, node)
        await world.pace.sleep(outage.seconds)
        meta = {key: gone["metadata"][key] for key in ("name", "labels", "annotations")}
        await kubelet.create(names.NODES, {**gone, "metadata": meta})
        await kubelet.patch(names.NODES, node, None, {"status": gone["status"]}, subresource="status")
    else:
        world.crashes += 1
        await world.stop_agent()
        await world.pace.sleep(outage.seconds)
        await world.start_agent()
