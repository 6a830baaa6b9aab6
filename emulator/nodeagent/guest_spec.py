# SPDX-License-Identifier: Apache-2.0
"""Converts a VMI to the guest that its launcher would define: NICs, identity, cloud-init data."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ..dataplane.model import GuestNic, GuestSpec, PodInterface
from ..kube.client import Client, Obj
from .sandboxes import Sandbox

CLOUD_INIT = ("cloudInitNoCloud", "cloudInitConfigDrive")
CloudInitText = tuple[str, str, tuple[str, ...]]
USER_DATA: CloudInitText = ("userData", "secretRef", ("userdata", "userData"))
NETWORK_DATA: CloudInitText = ("networkData", "networkDataSecretRef", ("networkdata", "networkData"))
BINDINGS = ("masquerade", "bridge", "sriov", "macvtap", "passt", "slirp")


class GuestUndefinable(Exception):
    """The VMI refers to something that its launcher cannot use; the message names it."""


def interfaces(vmi: Obj) -> list[dict[str, Any]]:
    """The interfaces of the VMI's spec, without those marked absent."""
    listed = vmi["spec"]["domain"].get("devices", {}).get("interfaces", [])
    return [interface for interface in listed if interface.get("state") != "absent"]


def networks(vmi: Obj) -> dict[str, dict[str, Any]]:
    return {network["name"]: network for network in vmi["spec"].get("networks", [])}


def is_primary(network: dict[str, Any]) -> bool:
    """Whether a network of the VMI uses the pod's eth0."""
    return "pod" in network or bool(network.get("multus", {}).get("default"))


def pod_interfaces(vmi: Obj, sandbox: Sandbox) -> dict[str, PodInterface]:
    """The pod's interface for each network of the VMI, by network name."""
    found: dict[str, PodInterface] = {}
    position = 0
    for name, network in networks(vmi).items():
        if is_primary(network):
            found[name] = sandbox.primary
            continue
        position += 1
        interface = sandbox.interface_of(name, position)
        if interface:
            found[name] = interface
    return found


def binding_of(interface: dict[str, Any]) -> str:
    for binding in BINDINGS:
        if binding in interface:
            return binding
    plugin = interface.get("binding", {}).get("name", "")
    return str(plugin) or "bridge"


def nic(interface: dict[str, Any], pod_interface: PodInterface) -> GuestNic:
    """The guest's NIC; without a MAC in the spec it uses that of the pod interface, as the launcher does."""
    return GuestNic(
        name=interface["name"],
        mac=interface.get("macAddress", "").replace("-", ":").lower() or pod_interface.mac,
        pod_interface=pod_interface.name,
        binding=binding_of(interface),
        link_up=interface.get("state") != "down",
    )


def hostname(vmi: Obj) -> str:
    wished = vmi["spec"].get("hostname") or vmi["metadata"]["name"]
    return str(wished).split(".", maxsplit=1)[0][:63]


async def guest_spec(client: Client, vmi: Obj, sandbox: Sandbox) -> GuestSpec:
    """The guest to boot in ``sandbox``.

    GuestUndefinable if a NIC has no pod interface or cloud-init data cannot be read; ApiError if a secret is missing.
    """
    by_nic = pod_interfaces(vmi, sandbox)
    nics = []
    for interface in interfaces(vmi):
        if interface["name"] not in by_nic:
            raise GuestUndefinable(f"interface {interface['name']} has no interface in pod {sandbox.key[1]}")
        nics.append(nic(interface, by_nic[interface["name"]]))
    user_data, network_data = await _cloud_init(client, vmi)
    return GuestSpec(
        uid=vmi["metadata"]["uid"],
        name=vmi["metadata"]["name"],
        hostname=hostname(vmi),
        firmware_uuid=vmi["spec"]["domain"].get("firmware", {}).get("uuid", ""),
        nics=tuple(nics),
        user_data=user_data,
        network_data=network_data,
    )


async def _cloud_init(client: Client, vmi: Obj) -> tuple[str, str]:
    for volume in vmi["spec"].get("volumes", []):
        for kind in CLOUD_INIT:
            if kind in volume:
                source, namespace = volume[kind], vmi["metadata"]["namespace"]
                return (
                    await _text(client, namespace, source, USER_DATA),
                    await _text(client, namespace, source, NETWORK_DATA),
                )
    return "", ""


async def _text(client: Client, namespace: str, source: dict[str, Any], kind: CloudInitText) -> str:
    field, reference, keys = kind
    if source.get(field):
        return str(source[field])
    if encoded := source.get(f"{field}Base64"):
        return _decoded(encoded, f"{field}Base64")
    if name := source.get(reference, {}).get("name"):
        secret = await client.get("secrets", name, namespace)
        for key in keys:
            if key in secret.get("data", {}):
                return _decoded(secret["data"][key], f"key {key} of secret {namespace}/{name}")
        raise GuestUndefinable(f"secret {namespace}/{name} has no key {keys[0]}")
    return ""


def _decoded(text: str, what: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise GuestUndefinable(f"cloud-init {what} is not base64 of text: {error}") from None
