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
        """Lets go of the namespace; with nothing left inside, the kernel removes it and its devices."""
        if self.descriptor >= 0:
            self.links.close()
            os.close(self.descriptor)
            self.descriptor = -1


class Builder:
    """The thread in which all building happens, one job after another.

    Only this thread ever changes its network namespace, so that the rest of the process stays in the host's.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="dataplane")
        self._home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    async def run(self, job: Callable[[], T]) -> T:
        """Runs a job in the thread. It is done to its end, and even begun, where the caller is cancelled meanwhile."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._executor, job))

    async def make(self, job: Callable[[], T], undo: Callable[[T], object]) -> T:
        """Runs a job that makes something; nobody would ever take it down for a caller that is cancelled meanwhile."""
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

    # What follows is for jobs, that is: for the thread itself.

    def new_namespace(self, name: str, *, forwarding: bool = False) -> Namespace:
        """A namespace of the data plane's own: no IPv6 of its own, no filtering inherited from the host."""

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
        """Takes over a namespace that somebody else made (a guest's)."""
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
            # leave for an empty one, so that no namespace of the lab is kept alive by this thread.
            try:
                setns(self._home, CLONE_NEWNET)
            except PermissionError:
                unshare(CLONE_NEWNET)
                os.close(self._home)
                self._home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def set_kernel(key: str, value: str) -> None:
    """Writes a sysctl of the calling thread's namespace; one that this kernel does not have is left alone."""
    path = Path("/proc/sys") / key
    if path.exists():
        path.write_text(value, encoding="ascii")
