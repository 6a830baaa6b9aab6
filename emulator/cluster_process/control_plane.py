# SPDX-License-Identifier: Apache-2.0
"""The process of API server and control plane: ``python -m emulator.cluster_process.control_plane CONFIG``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from ..kube import tls
from . import parent_death

if TYPE_CHECKING:
    from ..controlplane.metrics.thanos import Router
    from .process_config import ProcessConfig


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--listen-fd", type=int, required=True)
    parser.add_argument("--ready-fd", type=int, required=True)
    arguments = parser.parse_args()
    parent_death.end_with_parent(arguments.parent, signal.SIGKILL)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    from .process_config import ProcessConfig  # noqa: PLC0415 - PR_SET_PDEATHSIG is set before anything slow is imported

    asyncio.run(
        _serve(ProcessConfig.read(arguments.config), socket.socket(fileno=arguments.listen_fd), arguments.ready_fd)
    )


async def _serve(config: ProcessConfig, listening: socket.socket, ready: int) -> None:
    from ..apiserver.audit import AuditLog  # noqa: PLC0415
    from ..apiserver.core import ApiCore  # noqa: PLC0415
    from ..apiserver.server import ApiServer  # noqa: PLC0415
    from ..apiserver.users import ADMIN, NODE_NAME, UserInfo  # noqa: PLC0415
    from ..controlplane.cluster.dynamic_networks import install  # noqa: PLC0415
    from ..controlplane.profile import profile_for  # noqa: PLC0415
    from ..controlplane.run import run_control_plane  # noqa: PLC0415
    from ..fault_points import fault_points_for  # noqa: PLC0415
    from ..pace import Pace  # noqa: PLC0415
    from ..platforms.catalogue import registry_of  # noqa: PLC0415
    from ..platforms.platform import platform_for  # noqa: PLC0415
    from .roles import grant  # noqa: PLC0415

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    options = config.options
    fault_points, pace = fault_points_for(options.defects), Pace(options.speed)
    profile, platform = profile_for(options.kubevirt), platform_for(options.platform)
    server = ApiServer(
        ApiCore(registry_of(platform, profile)),
        root_ca=config.certificates.ca.read_text(),
        fault_points=fault_points,
        shortest_token=options.shortest_token,
        audit=AuditLog(Path(options.audit_log)) if options.audit_log else None,
    )
    await server.prepare()
    await grant(server.client(ADMIN, manager="kube-apiserver"), platform)
    if config.options.dynamic_networks:
        await install(server.client(ADMIN, manager="kubectl-create"), len(config.options.node_names))
    for token, who in config.tokens.items():
        extra = {NODE_NAME: (who.node,)} if who.node else {}
        server.tokens.add(token, UserInfo(who.user, who.groups, extra=extra))
    tls, router = _stream_tls(config), _router(config)
    control_plane = await run_control_plane(server, profile, pace, fault_points, tls, platform=platform, router=router)
    await server.start(listening, _api_tls(config))
    os.write(ready, b"ready\n")
    os.close(ready)
    await stop.wait()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            await control_plane.stop()
            await server.stop()


def _api_tls(config: ProcessConfig) -> ssl.SSLContext:
    context = tls.server_side(config.certificates.api_cert, config.certificates.api_key)
    context.load_verify_locations(cafile=str(config.certificates.client_ca))
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context


def _router(config: ProcessConfig) -> Router:
    """How the router serves HTTPS, and the authority that it publishes."""
    from ..controlplane.metrics.thanos import Router  # noqa: PLC0415

    context = tls.server_side(config.certificates.router_cert, config.certificates.router_key)
    return Router(context, config.certificates.router_ca.read_text())


def _stream_tls(config: ProcessConfig) -> ssl.SSLContext:
    """What virt-api dials the stream endpoints with; their certificates carry no address."""
    context = tls.client_side(config.certificates.stream_ca)
    context.load_cert_chain(config.certificates.virt_api_cert, config.certificates.virt_api_key)
    context.check_hostname = False
    return context


if __name__ == "__main__":
    main()
