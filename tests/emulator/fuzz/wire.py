# SPDX-License-Identifier: Apache-2.0
"""The data plane asked itself: frames from a guest's NICs to every network and back, whatever the API says."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from emulator.dataplane.links import Link, mac_bytes
from emulator.dataplane.linux import LinuxDataPlane
from emulator.dataplane.wiring import Segment

PROBE = "the fuzzer's own pod"
BROADCAST = b"\xff" * 6
# An EtherType that is kept free for experiments: nothing else in the guests or on the nodes answers it.
EXPERIMENT = 0x88B5
WAIT_SECONDS = 1.0
SEGMENTS = {
    "a": Segment("br1", 101),
    "b": Segment("br1", 102),
    "c": Segment("br2", 101),
    "late": Segment("br1", 103),
    "s": Segment("br2", 104),
    "l": Segment("physnet", 105, "localnet"),
}
# What a guest's MACs find: the networks that hear the NIC, and those that the NIC hears.
Reach = dict[str, tuple[frozenset[str], frozenset[str]]]


@dataclass
class Wire:
    """A pod with an interface on every network, each with an open socket."""

    dataplane: LinuxDataPlane
    ears: dict[str, socket.socket]
    count: int = 0

    @classmethod
    async def lay(cls, dataplane: LinuxDataPlane, node: str) -> Wire:
        await dataplane.add_pod(PROBE, node)
        for network, segment in SEGMENTS.items():
            await dataplane.attach(PROBE, network, segment)
        builder, pod = dataplane._builder, dataplane._pods[PROBE]
        assert builder is not None
        ears = await builder.run(
            lambda: builder.inside(pod.namespace.descriptor, lambda: {name: _ear(name) for name in SEGMENTS})
        )
        return cls(dataplane, ears)

    def close(self) -> None:
        for ear in self.ears.values():
            ear.close()

    async def reach(self, guest_uid: str, expected: dict[str, str]) -> Reach:
        """What each NIC of a guest reaches, by MAC; ``expected`` (MAC -> network) only says how long to wait."""
        builder, guest = self.dataplane._builder, self.dataplane._guests.get(guest_uid)
        network = guest._network if guest else None
        if builder is None or network is None:
            return {}
        self.count += 1
        mark = struct.pack("!I", self.count)

        def ask() -> Reach:
            nics = {link.mac: link for link in network.links.all() if not link.loopback}
            for mac in expected.keys() & nics.keys():
                network.links.change(nics[mac].name, up=True)
            return builder.inside(network.descriptor, lambda: self._exchange(nics, expected, mark))

        return await builder.run(ask)

    def _exchange(self, nics: dict[str, Link], expected: dict[str, str], mark: bytes) -> Reach:
        """Runs in the guest's network namespace; the open sockets belong to that of the pod all the same."""
        with _ears(nics) as inside:
            for mac, line in inside.items():
                line.send(_frame(mac_bytes(mac), mark))
            for network, ear in self.ears.items():
                ear.send(_frame(b"\x02" + network.encode().ljust(5, b"\0"), mark))
            heard_by = _listen(self.ears, mark, {(network, mac_bytes(mac)) for mac, network in expected.items()})
            wanted = {(mac, b"\x02" + network.encode().ljust(5, b"\0")) for mac, network in expected.items()}
            hears = _listen(inside, mark, wanted)
        found = {}
        for mac in inside:
            networks = frozenset(name for name, sender in heard_by if sender == mac_bytes(mac))
            senders = {sender for listener, sender in hears if listener == mac}
            names = frozenset(name for name in self.ears if b"\x02" + name.encode().ljust(5, b"\0") in senders)
            found[mac] = (networks, names)
        return found


def _ear(device: str) -> socket.socket:
    line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(EXPERIMENT))
    line.bind((device, EXPERIMENT))
    return line


@contextmanager
def _ears(nics: dict[str, Link]) -> Iterator[dict[str, socket.socket]]:
    with ExitStack() as stack:
        yield {mac: stack.enter_context(_ear(link.name)) for mac, link in nics.items()}


def _frame(sender: bytes, mark: bytes) -> bytes:
    return BROADCAST + sender + struct.pack("!H", EXPERIMENT) + mark + bytes(46)


def _listen(ears: dict[str, socket.socket], mark: bytes, wanted: set[tuple[str, bytes]]) -> set[tuple[str, bytes]]:
    """(listener, sender's MAC) of all marked frames; waits for those that are wanted, and no longer."""
    names = {ear.fileno(): name for name, ear in ears.items()}
    poll = select.poll()
    for number in names:
        poll.register(number, select.POLLIN)
    heard: set[tuple[str, bytes]] = set()
    left = WAIT_SECONDS
    while True:
        ready = poll.poll(0)
        if not ready:
            if wanted <= heard or left <= 0:
                return heard
            left -= 0.05
            poll.poll(50)
            continue
        for number, _ in ready:
            # What the same NIC has sent itself is no answer.
            frame, (_, _, kind, *_) = ears[names[number]].recvfrom(128)
            if kind != socket.PACKET_OUTGOING and frame[14:18] == mark:
                heard.add((names[number], frame[6:12]))
