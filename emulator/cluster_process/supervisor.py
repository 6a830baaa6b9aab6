# SPDX-License-Identifier: Apache-2.0
"""Starts a cluster, monitors its processes, and removes it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..platforms.platform import platform_for
from . import kubeconfig
from .certificates import write_certificates
from .child import Child, ChildDied
from .identities import ADMIN, new_tokens
from .options import ClusterOptions
from .process_config import ProcessConfig
from .state import ClusterState, create_state, remove_dead_clusters

START_PATIENCE = 30.0


@dataclass
class RunningCluster:
    """A cluster that is ready: nodes registered, API answering.

    ``guests``: once it has ended, how many guests it had and how many of them were started.
    """

    state: ClusterState
    options: ClusterOptions
    kubeconfig: Path
    children: list[Child] = field(default_factory=list)
    guests: str = ""

    async def watch(self) -> None:
        """Never returns; ChildDied as soon as one of the cluster's processes ends."""
        waiting = [asyncio.ensure_future(child.died()) for child in self.children]
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


@asynccontextmanager
async def running_cluster(options: ClusterOptions, *, nodes: bool = True) -> AsyncIterator[RunningCluster]:
    """A cluster that runs as long as the block; without ``nodes`` its caller starts the node agent. ChildDied if it
    does not start.
    """
    remove_dead_clusters()
    state = create_state()
    cluster = RunningCluster(state, options, state.path / "kubeconfig")
    try:
        try:
            async with asyncio.timeout(START_PATIENCE):
                await _start(cluster, nodes=nodes)
        except TimeoutError:
            raise ChildDied(_why_not_ready(cluster)) from None
        yield cluster
    finally:
        for child in reversed(cluster.children):
            await child.stop()
            lines = child.log.read_text(errors="replace").splitlines()
            cluster.guests = next((line for line in reversed(lines) if "guests were defined" in line), cluster.guests)
        cluster.guests = cluster.guests.rpartition(": ")[2]
        state.remove()


def _why_not_ready(cluster: RunningCluster) -> str:
    logs = [f"{c.name} process:\n{c.last_lines()}" for c in cluster.children if not c.is_ready]
    return "\n".join([f"the cluster was not ready after {START_PATIENCE:g} s; last lines of what is missing:", *logs])


async def _start(cluster: RunningCluster, *, nodes: bool) -> None:
    directory = cluster.state.path
    config = ProcessConfig(
        cluster.options,
        write_certificates(directory / "certificates"),
        new_tokens(platform_for(cluster.options.platform), cluster.options.node_names),
    )
    config_file = directory / "config.json"
    config.write(config_file)
    with contextlib.closing(_listening_socket()) as listening:
        server = f"https://127.0.0.1:{listening.getsockname()[1]}"
        admin = {token: who for token, who in config.tokens.items() if who is ADMIN}
        agents = {token: who for token, who in config.tokens.items() if who is not ADMIN}
        own = (config.certificates.admin_cert, config.certificates.admin_key)
        kubeconfig.write_kubeconfig(cluster.kubeconfig, server, config.certificates.ca, admin, own)
        kubeconfig.write_kubeconfig(directory / "agent.kubeconfig", server, config.certificates.ca, agents)
        descriptor = listening.fileno()
        control = (
            "control-plane",
            "emulator.cluster_process.control_plane",
            (str(config_file), "--listen-fd", str(descriptor)),
            (descriptor,),
        )
        agent = ("node-agent", "emulator.cluster_process.node_agent", (str(config_file),), ())
        for name, module, arguments, descriptors in (control, agent) if nodes else (control,):
            child = await Child.start(name, module, arguments, directory=directory, pass_fds=descriptors)
            cluster.children.append(child)
            cluster.state.add_process(child.process.pid)
    async with asyncio.TaskGroup() as group:
        for child in cluster.children:
            group.create_task(child.wait_ready())


def _listening_socket() -> socket.socket:
    """Bound and listening before any process exists: a client may connect at once, and is served when the API is up."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    listening.set_inheritable(True)
    return listening
