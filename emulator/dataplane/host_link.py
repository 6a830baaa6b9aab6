# SPDX-License-Identifier: Apache-2.0
"""The way from this machine into the nodes' pod network: an API server here can dial the address of a VM.

It needs the rights of root over the machine's own network, which the data plane gives up when it enters its user
namespace. So a process that is forked before that makes the link, once, and ends.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.links import Links

POD_RANGE = ipaddress.ip_network("10.244.0.0/16")
HOST_ADDRESS = "10.244.255.254/16"
_DONE = b"done"
_LONGEST_MESSAGE = 4096


class HostLink:
    """One link. Open it before the process enters a user namespace, and before its first thread."""

    def __init__(self, ours: socket.socket, maker: int) -> None:
        self._ours = ours
        self._maker = maker

    @classmethod
    def open(cls) -> HostLink:
        """DataPlaneError, with the remedy, without root's rights or where the machine has a way to such addresses."""
        if lack := what_forbids_it():
            raise DataPlaneError(lack)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        maker = os.fork()
        if maker == 0:
            ours.close()
            _make(theirs)
        theirs.close()
        return cls(ours, maker)

    def connect(self, namespace: int, device: str) -> None:
        """Puts one end of the link, ``device``, into a network namespace, given by its descriptor.

        The other end is this machine's. The kernel removes both with the namespace.
        """
        try:
            socket.send_fds(self._ours, [device.encode()], [namespace])
            told = self._ours.recv(_LONGEST_MESSAGE)
        finally:
            self.close()
        if told != _DONE:
            raise DataPlaneError(
                f"this machine could not be connected to the pod network: {told.decode() or 'no answer'}"
            )

    def close(self) -> None:
        """Ends the process that makes the link, whether it has made it or not."""
        self._ours.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._maker, 0)


def what_forbids_it() -> str:
    """Why this machine cannot be connected to the pod network, with the remedy; "" if it can."""
    if os.geteuid() != 0:
        return "only root may connect this machine to the pod network; run it with sudo"
    routes = subprocess.run(["ip", "-json", "-4", "route"], check=True, capture_output=True, text=True).stdout
    if clash := clashing_route(json.loads(routes or "[]")):
        return (
            f"this machine has a route to {clash}, so it cannot be connected to the pod network {POD_RANGE}; "
            "remove it, or run on another machine"
        )
    return ""


def clashing_route(routes: Iterable[Mapping[str, Any]]) -> str:
    """The first destination of these routes (``ip -json route``) that shares addresses with pods; "" for none."""
    for route in routes:
        if route["dst"] != "default" and ipaddress.ip_network(route["dst"]).overlaps(POD_RANGE):
            return str(route["dst"])
    return ""


def _make(theirs: socket.socket) -> NoReturn:
    """The process: waits for a namespace, or for the end of the other side."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = 1
    try:
        name, descriptors, _, _ = socket.recv_fds(theirs, _LONGEST_MESSAGE, 1)
        if name:
            theirs.send(_link(name.decode(), descriptors[0]))
        code = 0
    finally:
        os._exit(code)


def _link(device: str, namespace: int) -> bytes:
    links, ours = Links(), f"pods{os.getpid()}"
    try:
        links.add_veth(ours, device, peer_namespace=namespace)
        links.add_address(ours, HOST_ADDRESS)
        links.change(ours, up=True)
    except OSError as error:
        return str(error).encode()
    return _DONE
