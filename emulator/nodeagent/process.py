# SPDX-License-Identifier: Apache-2.0
"""The node agent's process: enters a user namespace, connects to the API, and runs until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import ssl
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..fault_points import FaultPoints, fault_points_for
from ..kube import tls
from ..pace import Pace
from ..platforms.platform import DEFAULT, platform_for

if TYPE_CHECKING:
    from ..dataplane.host_link import HostLink
    from ..kube.http import Access

CONTEXTS = ("kubelet", "multus", "virt-handler")
NMSTATE = "nmstate-handler"


@dataclass(frozen=True)
class AgentOptions:
    """The options of a node agent.

    Each component uses the kubeconfig's context of its name (``kubelet``, ``multus``, ``virt-handler``, and
    ``nmstate-handler`` if the platform has NMState), or ``context`` if there is none. A virt-handler of a node writes
    with the context ``virt-handler@NODE``, if there is one. ``dynamic_networks``: whether the
    Dynamic Networks Controller runs on the nodes. ``tls_*`` are PEM files for the stream endpoints: certificate, key
    and the authority of the clients. ``connect_host``: connects this machine to the pod network, as root.
    ``lazy_guests`` are started at the first look at them.
    """

    kubeconfig: str
    context: str = ""
    nodes: tuple[str, ...] = ("embedded-1", "embedded-2")
    speed: float = 5.0
    platform: str = DEFAULT
    defects: tuple[str, ...] = ()
    dynamic_networks: bool = False
    connect_host: bool = False
    lazy_guests: bool = False
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    ready_fd: int = -1


def server_tls(options: AgentOptions) -> ssl.SSLContext | None:
    """Mutual TLS with a client authority, plain TLS with only a certificate, None without."""
    if not options.tls_cert:
        return None
    context = tls.server_side(options.tls_cert, options.tls_key or None)
    if options.tls_client_ca:
        context.load_verify_locations(options.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def serve(options: AgentOptions) -> None:
    """Runs the agent until SIGTERM or SIGINT.

    ValueError for a bad option, DataPlaneError if the machine does not permit it.
    """
    fault_points = fault_points_for(options.defects)
    if not os.access(options.kubeconfig, os.R_OK):
        raise ValueError(f"kubeconfig {options.kubeconfig}: there is no such file, or it may not be read")
    from ..dataplane import userns  # noqa: PLC0415 - entered before anything that could start a thread is imported
    from ..dataplane.host_link import HostLink  # noqa: PLC0415

    link = HostLink.open() if options.connect_host else None
    userns.enter()
    with tempfile.TemporaryDirectory(prefix="kubevirt-embedded-agent-") as directory:
        # Certificates inside a kubeconfig are written to files, which must not outlive this process.
        tempfile.tempdir = directory
        asyncio.run(_serve(options, fault_points, link))


async def _serve(options: AgentOptions, fault_points: FaultPoints, link: HostLink | None) -> None:
    from ..dataplane.linux import LinuxDataPlane  # noqa: PLC0415
    from ..kube.http import HttpClient  # noqa: PLC0415
    from .agent import Identities, NodeAgent  # noqa: PLC0415

    clients = [
        HttpClient(
            _access(options, context),
            manager=context if context != "kubelet" else "embedded-kubelet",
            # The only version in which NMState serves all its kinds.
            versions={"nmstate.io": "v1beta1"},
        )
        for context in (*CONTEXTS, *((NMSTATE,) if platform_for(options.platform).nmstate else ()))
    ]
    kubelet, multus, handler, *nmstate = clients
    handlers = {
        node: HttpClient(access, manager="virt-handler")
        for node in options.nodes
        if (access := _own_access(options, f"virt-handler@{node}")) is not None
    }
    agent = NodeAgent(
        identities=Identities(kubelet, multus, handler, nmstate[0] if nmstate else None, handlers),
        dataplane=LinuxDataPlane(link, lazy_guests=options.lazy_guests),
        nodes=options.nodes,
        pace=Pace(options.speed),
        fault_points=fault_points,
        dynamic_networks=options.dynamic_networks,
        tls=server_tls(options),
        kubelet_tls=server_tls(replace(options, tls_client_ca="")),
        platform=platform_for(options.platform),
    )
    task = asyncio.ensure_future(agent.run(lambda: _tell_ready(options.ready_fd)))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        logging.getLogger(__name__).info("stopped")
    finally:
        for client in (*clients, *handlers.values()):
            await client.close()


def _access(options: AgentOptions, context: str) -> Access:
    from ..kube.http import read_kubeconfig  # noqa: PLC0415

    own = _own_access(options, context)
    return own or read_kubeconfig(Path(options.kubeconfig), options.context)


def _own_access(options: AgentOptions, context: str) -> Access | None:
    """The access of one context; None if the kubeconfig has none of that name."""
    from ..kube.http import read_kubeconfig  # noqa: PLC0415

    try:
        return read_kubeconfig(Path(options.kubeconfig), context)
    except ValueError:
        return None


def _tell_ready(descriptor: int) -> None:
    if descriptor >= 0:
        os.write(descriptor, b"ready\n")
        os.close(descriptor)
