# SPDX-License-Identifier: Apache-2.0
"""Network namespaces held by file descriptor, and the one thread that builds in them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from emulator.dataplane.links import Links
from emulator.dataplane.syscalls import CLONE_NEWNET, setns, unshare

T = TypeVar("T")


class Namespace:
    """A network namespace that exists for as long as it is held here. Made and entered by a ``Builder`` only."""

    def __init__(self, name: str, descriptor: int, links: Links) -> None:
        self.name = name
        self.descriptor = descriptor
        self.links = links

    def close(self) -> None:
        """Releases the namespace; if nothing is left inside, the kernel removes it and its devices."""
        if self.descriptor >= 0:
            self.links.close()
            os.close(self.descriptor)
            self.descriptor = -1


class Builder:
    """The thread that does all building, one job after the other.

    Only this thread ever changes its network namespace, so that the rest of the process stays in the host's.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="dataplane")
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    async def run(self, job: Callable[[], T]) -> T:
        """Runs a job in the thread. The job runs to its end, even if the caller is cancelled before it begins."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._executor, job))

    async def make(self, job: Callable[[], T], undo: Callable[[T], object]) -> T:
        """Runs a job that creates something, and removes it if the caller is cancelled meanwhile."""
        made = asyncio.get_running_loop().run_in_executor(self._executor, job)
        try:
            return await asyncio.shield(made)
        except asyncio.CancelledError:
            result = await made
            await self.run(lambda: undo(result))
            raise

    def close(self) -> None:
        self._executor.shutdown()
        os.close(self._home)

    # The methods below are for jobs, which run in the thread itself.

    def new_namespace(self, name: str, *, forwarding: bool = False) -> Namespace:
        """A network namespace without automatic IPv6 addresses and without filtering inherited from the host."""

        def make() -> Namespace:
            unshare(CLONE_NEWNET)
            links = Links()
            links.change("lo", up=True)
            for scope in ("all", "default"):
                set_kernel(f"net/ipv6/conf/{scope}/disable_ipv6", "1")
                set_kernel(f"net/ipv4/conf/{scope}/rp_filter", "0")
            set_kernel("net/bridge/bridge-nf-call-iptables", "0")
            set_kernel("net/bridge/bridge-nf-call-ip6tables", "0")
            set_kernel("net/bridge/bridge-nf-call-arptables", "0")
            set_kernel("net/ipv4/ip_forward", "1" if forwarding else "0")
            return Namespace(name, os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC), links)

        return self._and_back(make)

    def adopt(self, name: str, descriptor: int) -> Namespace:
        """Takes ownership of a namespace that was created elsewhere (a guest's)."""
        return Namespace(name, descriptor, self.inside(descriptor, Links))

    def inside(self, descriptor: int, job: Callable[[], T]) -> T:
        def enter() -> T:
            setns(descriptor, CLONE_NEWNET)
            return job()

        return self._and_back(enter)

    def _and_back(self, job: Callable[[], T]) -> T:
        try:
            return job()
        finally:
            # The host's namespace belongs to another user namespace: an ordinary user cannot return to it, but can
            # enter an empty one, so that this thread keeps no namespace of the cluster alive.
            try:
                setns(self._home, CLONE_NEWNET)
            except PermissionError:
                unshare(CLONE_NEWNET)
                os.close(self._home)
                self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def set_kernel(key: str, value: str) -> None:
    """Writes a sysctl of the calling thread's namespace; one that this kernel does not have is skipped."""
    path = Path("/proc/sys") / key
    if path.exists():
        path.write_text(value, encoding="ascii")
