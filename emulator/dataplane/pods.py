# SPDX-License-Identifier: Apache-2.0
"""Pods: a network namespace each, its connections to segments, and to the NICs of a guest."""

from __future__ import annotations

import socket
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.model import PodInterface
from emulator.dataplane.nat import translate
from emulator.dataplane.netns import Builder, Namespace
from emulator.dataplane.packet_loss import FrameMatch, drop_frames
from emulator.dataplane.topology import POD_NETWORK, Node, Topology, random_mac
from emulator.dataplane.wiring import Segment
from emulator.guest.spec import Lease

POD_NIC = "eth0"
# The addresses of a masquerade-bound guest: the same in every pod, so that a migration does not change them.
GUEST_ADDRESS, _GATEWAY, _PREFIX = "10.0.2.2", "10.0.2.1", 24
_GATEWAY_DEVICE = "k6t-eth0"
_GATEWAY_MAC = "02:00:00:00:00:00"


@dataclass
class _Plug:
    """A pod interface: its address as reported, its devices on the node, its bridge in the pod once one is needed."""

    interface: PodInterface
    node_devices: list[str] = field(default_factory=list)
    bridge: str = ""
    translated: bool = False


@dataclass
class Pod:
    uid: str
    node: Node
    namespace: Namespace
    address: str
    plugs: dict[str, _Plug] = field(default_factory=dict)
    # Connections that were dialled to this pod and are still open.
    connections: weakref.WeakSet[socket.socket] = field(default_factory=weakref.WeakSet)

    def plug(self, interface: str) -> _Plug:
        if interface not in self.plugs:
            known = ", ".join(self.plugs) or "none"
            raise DataPlaneError(f"pod {self.uid} has no interface {interface!r}; it has {known}")
        return self.plugs[interface]

    def cut_connections(self) -> None:
        """Ends the dialled connections, as if the pod's address no longer answered."""
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.connections = weakref.WeakSet()


class Pods:
    """All methods must run in the builder's thread."""

    def __init__(self, builder: Builder, topology: Topology) -> None:
        self._builder = builder
        self._topology = topology

    def add(self, uid: str, node_name: str) -> Pod:
        node = self._topology.node(node_name)
        namespace = self._builder.new_namespace(f"pod {uid}", forwarding=True)
        address = node.new_pod_address()
        pod = Pod(uid, node, namespace, address.partition("/")[0])
        try:
            self.attach(pod, POD_NIC, POD_NETWORK, None, (pod.address,))
            namespace.links.add_address(POD_NIC, address)
            namespace.links.add_route(POD_NIC, "0.0.0.0/0", node.gateway)
        except BaseException:
            self.remove(pod)
            raise
        return pod

    def attach(
        self, pod: Pod, interface: str, segment: Segment, mac: str | None, ips: tuple[str, ...] = ()
    ) -> PodInterface:
        if interface in pod.plugs:
            raise DataPlaneError(f"pod {pod.uid} has an interface {interface!r} already")
        plug = _Plug(PodInterface(interface, (mac or random_mac()).lower(), ips))
        plug.node_devices.append(self._wire(pod, interface, segment, plug.interface.mac))
        pod.plugs[interface] = plug
        return plug.interface

    def _wire(self, pod: Pod, interface: str, segment: Segment, mac: str | None) -> str:
        """Adds a veth pair from the segment's bridge on the pod's node to a new device in the pod; returns its end on
        the node.
        """
        # Checked first: if the segment does not exist there, nothing is created.
        self._topology.bridge_of(pod.node, segment)
        near = self._topology.new_name("veth")
        on_node = pod.node.namespace.links
        on_node.add_veth(near, interface, peer_namespace=pod.namespace.descriptor, peer_mac=mac)
        pod.namespace.links.change(interface, up=True)
        self._topology.plug(pod.node, near, segment)
        return near

    def drop_frames(self, pod: Pod, interface: str, kinds: Sequence[FrameMatch]) -> None:
        """Drops frames from the interface's segment that match one of ``kinds``."""
        pod.plug(interface)
        self._builder.inside(pod.namespace.descriptor, lambda: drop_frames(interface, kinds))

    def join(self, pod: Pod, interface: str, segment: Segment, kinds: Sequence[FrameMatch] = ()) -> None:
        """Connects an interface to a further segment; the two segments stay separate.

        Frames from that segment that match one of ``kinds`` are dropped.
        """
        plug = pod.plug(interface)
        bridge = self._bridge(pod, interface, plug)
        second = self._topology.new_name("join")
        plug.node_devices.append(self._wire(pod, second, segment, None))
        if kinds:
            self._builder.inside(pod.namespace.descriptor, lambda: drop_frames(second, kinds))
        pod.namespace.links.change(second, master=bridge)
        for device in (interface, second):
            pod.namespace.links.set_port(device, isolated=True)

    def detach(self, pod: Pod, interface: str) -> None:
        plug = pod.plugs.pop(interface, None)
        if plug:
            for device in plug.node_devices:
                self._topology.unplug(pod.node, device)
                pod.node.namespace.links.delete_if_there(device)
            if plug.bridge:
                pod.namespace.links.delete_if_there(plug.bridge)

    def remove(self, pod: Pod) -> None:
        pod.cut_connections()
        # The kernel removes the veth pairs with the namespace, but only later: nothing may answer from now on.
        for plug in pod.plugs.values():
            for device in plug.node_devices:
                self._topology.unplug(pod.node, device)
                pod.node.namespace.links.silence_port(device)
        pod.plugs.clear()
        pod.namespace.close()

    def connect(self, pod: Pod, interface: str, binding: str, far: Namespace, far_device: str) -> str:
        """Adds a veth pair from a pod interface, by its binding, to ``far_device`` among a guest's ports.

        Returns the name of the end in the pod. The far end is left down: bringing it up is the switch-over.
        """
        plug = pod.plug(interface)
        if binding == "masquerade":
            return self._connect_masquerade(pod, interface, plug, far, far_device)
        near = self._topology.new_name("tap")
        pod.namespace.links.add_veth(near, far_device, peer_namespace=far.descriptor)
        pod.namespace.links.change(near, master=self._bridge(pod, interface, plug), up=True)
        return near

    def _bridge(self, pod: Pod, interface: str, plug: _Plug) -> str:
        if not plug.bridge:
            links = pod.namespace.links
            if interface == POD_NIC:
                links.delete_address(POD_NIC, f"{pod.address}/16")
            plug.bridge = self._topology.new_name("br")
            links.add_bridge(plug.bridge)
            # The guest has the address that was assigned to the interface.
            links.change(interface, mac=random_mac(), master=plug.bridge)
            links.change(plug.bridge, up=True)
        return plug.bridge

    def _connect_masquerade(self, pod: Pod, interface: str, plug: _Plug, far: Namespace, far_device: str) -> str:
        if interface != POD_NIC:
            raise DataPlaneError(f"masquerade binding is for the pod network, not for interface {interface!r}")
        links = pod.namespace.links
        links.delete_if_there(_GATEWAY_DEVICE)
        links.add_veth(_GATEWAY_DEVICE, far_device, peer_namespace=far.descriptor, mac=_GATEWAY_MAC)
        links.add_address(_GATEWAY_DEVICE, f"{_GATEWAY}/{_PREFIX}")
        links.change(_GATEWAY_DEVICE, up=True)
        if not plug.translated:
            try:
                self._builder.inside(pod.namespace.descriptor, lambda: translate(pod.address, GUEST_ADDRESS))
            except OSError as error:
                remedy = "load the module: modprobe nf_tables"
                raise DataPlaneError(f"the kernel has no nf_tables for the pod network ({error}); {remedy}") from error
            plug.translated = True
        return _GATEWAY_DEVICE

    @staticmethod
    def lease(pod: Pod, interface: str, binding: str) -> Lease | None:
        """What DHCP answers a guest's NIC on this interface."""
        if interface != POD_NIC:
            return None
        if binding == "masquerade":
            return Lease(f"{GUEST_ADDRESS}/{_PREFIX}", _GATEWAY)
        return Lease(f"{pod.address}/16", pod.node.gateway)
