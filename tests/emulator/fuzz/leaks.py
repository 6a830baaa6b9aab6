# SPDX-License-Identifier: Apache-2.0
"""What a cluster has taken of the machine: processes, namespaces, devices, file descriptors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from .violations import Violation
from .wire import PROBE
from .world import World

# Devices that a node keeps for a network once a pod has been on it, and those that every namespace has.
KEPT = ("seg", "trunk", "leg", "lo")
PATIENCE = 10.0


def processes() -> set[int]:
    """The living descendants of this process."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] not in "ZX":
                parents[int(entry.name)] = int(fields[1])
    found: set[int] = set()
    new = {os.getpid()}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new} - found
        found |= new
    return found


def namespaces() -> int:
    """How many namespaces this process holds by a file descriptor."""
    return sum(link.startswith(("net:", "user:", "pid:", "mnt:")) for link in _descriptors())


def _descriptors() -> Iterator[str]:
    for entry in Path("/proc/self/fd").iterdir():
        try:
            yield os.readlink(entry)  # noqa: PTH115 - what is no file has no path
        except OSError:
            continue


class Baseline:
    """What an empty cluster has; ``check`` compares what it has when it is empty again."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agent = world.agent
        self.processes = len(processes())
        self.namespaces = namespaces()
        self.descriptors = len(list(_descriptors()))

    async def check(self) -> None:
        """Violation with what is left; ends of processes and devices may take the kernel a moment."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while left := [found async for found in self._left()]:
            if asyncio.get_running_loop().time() > end:
                raise Violation("something leaks", "; ".join(left))
            await asyncio.sleep(0.05)

    async def _left(self) -> AsyncIterator[str]:
        dataplane, agent = self.world.dataplane, self.world.agent
        for uid in dataplane._pods.keys() - {PROBE}:
            yield f"pod {uid} in the data plane"
        for uid in dataplane._guests:
            yield f"guest {uid} in the data plane"
        for uid in agent.kubelet.sandboxes:
            yield f"sandbox {uid}"
        for uid in agent.handler.domains.by_uid:
            yield f"domain {uid}"
        for name, now, before in (
            ("processes", len(processes()), self.processes),
            ("namespaces", namespaces(), self.namespaces),
            ("file descriptors", len(list(_descriptors())), self.descriptors),
        ):
            if now > before:
                yield f"{now - before} {name} more than at the start"
        builder, topology = dataplane._builder, dataplane._topology
        assert builder is not None
        assert topology is not None
        own = {device for plug in dataplane._pods[PROBE].plugs.values() for device in plug.node_devices}
        for node in topology.nodes.values():
            links = await builder.run(node.namespace.links.all)
            for link in links:
                if not link.name.startswith(KEPT) and link.name not in own:
                    yield f"device {link.name} on {node.name}"
            for port in node.ports.keys() - own:
                yield f"port {port} of {node.name}"
