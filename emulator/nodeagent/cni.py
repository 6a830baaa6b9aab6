# SPDX-License-Identifier: Apache-2.0
"""Multus and the CNI plugins: the networks that a pod's interfaces are attached to, and the pod's network-status."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..dataplane.model import PodInterface
from ..dataplane.wiring import Segment
from ..kube.client import Client, Obj
from ..kube.errors import ApiError
from . import ovn

NETWORKS = "k8s.v1.cni.cncf.io/networks"
NETWORK_STATUS = "k8s.v1.cni.cncf.io/network-status"
NADS = "network-attachment-definitions.k8s.cni.cncf.io"
BRIDGE_TYPES = ("bridge", "cnv-bridge")


class NetworkNotFound(Exception):
    """A NAD that a pod requests does not exist."""


class NetworkRefused(Exception):
    """A NAD whose configuration no plugin of this cluster accepts, or an annotation that cannot be parsed."""


class NetworkUnready(Exception):
    """The plugin cannot attach the pod; the message is the plugin's."""


@dataclass(frozen=True)
class Attachment:
    """One secondary network of a pod: NAD, pod interface, and the requested MAC ("" for any)."""

    namespace: str
    name: str
    interface: str
    mac: str
    segment: Segment
    plugin: str = "bridge"


def requested(pod: Obj) -> list[dict[str, str]]:
    """The pod's network requests in order, each with namespace, name, interface and mac."""
    meta = pod["metadata"]
    text = meta.get("annotations", {}).get(NETWORKS, "").strip()
    if not text:
        return []
    if text.startswith("["):
        try:
            elements = json.loads(text)
        except ValueError as error:
            raise NetworkRefused(f"parsePodNetworkAnnotation: failed to parse networks: {error}") from None
    else:
        elements = [_short_form(item.strip()) for item in text.split(",")]
    requests = []
    for number, element in enumerate(elements, start=1):
        requests.append(
            {
                "namespace": element.get("namespace") or meta["namespace"],
                "name": element.get("name", ""),
                "interface": element.get("interface") or f"net{number}",
                "mac": element.get("mac", ""),
            }
        )
    return requests


def _short_form(item: str) -> dict[str, str]:
    """``namespace/name@interface``, the short form of the annotation."""
    item, _, interface = item.partition("@")
    namespace, _, name = item.rpartition("/")
    return {"namespace": namespace, "name": name, "interface": interface}


async def resolve(client: Client, pod: Obj, open_namespaces: Sequence[str] | None = None) -> list[Attachment]:
    """Reads the NADs of a pod. NetworkNotFound, NetworkRefused or NetworkUnready with Multus' message.

    With ``open_namespaces`` a pod may use only NADs of its own namespace and of these.
    """
    attachments = []
    home = pod["metadata"]["namespace"]
    for wish in requested(pod):
        namespace, name = wish["namespace"], wish["name"]
        if open_namespaces is not None and namespace not in (home, *open_namespaces):
            raise NetworkRefused(
                "GetNetworkDelegates: namespace isolation enabled, annotation violates permission, "
                f"pod is in namespace {home} but refers to target namespace {namespace}"
            )
        try:
            nad = await client.get(NADS, name, namespace)
        except ApiError as error:
            if error.code != 404:
                raise
            raise NetworkNotFound(
                f"cannot find a network-attachment-definition ({name}) in namespace ({namespace}): {error.message}"
            ) from None
        segment, plugin = segment_of(nad)
        if plugin == ovn.PLUGIN and not ovn.is_sound(nad, (await client.list(NADS))[0]):
            raise NetworkUnready(f'error adding container to network "{name}": {ovn.SILENCE}')
        attachments.append(Attachment(namespace, name, wish["interface"], wish["mac"], segment, plugin))
    return attachments


def segment_of(nad: Obj) -> tuple[Segment, str]:
    """The layer-2 network of a NAD's configuration, and the plugin that attaches pods to it."""
    text = nad.get("spec", {}).get("config", "")
    try:
        config = json.loads(text)
    except ValueError as error:
        raise NetworkRefused(f"error in CNI configuration of {nad['metadata']['name']}: {error}") from None
    plugins = config.get("plugins")
    plugin: dict[str, Any] = plugins[0] if plugins else config
    kind = plugin.get("type", "")
    if kind in BRIDGE_TYPES:
        return Segment(plugin.get("bridge") or "cni0", int(plugin.get("vlan") or 0)), kind
    if kind == ovn.PLUGIN:
        return ovn.segment_of(nad), kind
    raise NetworkRefused(f'failed to find plugin "{kind}" in path [/opt/cni/bin]')


def status_entries(
    primary: PodInterface, attachments: list[Attachment], interfaces: dict[str, PodInterface]
) -> list[dict[str, Any]]:
    """The entries of a pod's network-status, the pod network first."""
    entries: list[dict[str, Any]] = [
        {
            "name": "k8s-pod-network",
            "interface": primary.name,
            "ips": list(primary.ips),
            "mac": primary.mac,
            "default": True,
            "dns": {},
        }
    ]
    for attachment in attachments:
        interface = interfaces[attachment.interface]
        entry: dict[str, Any] = {"name": f"{attachment.namespace}/{attachment.name}", "interface": interface.name}
        if interface.ips:
            entry["ips"] = list(interface.ips)
        entries.append(entry | {"mac": interface.mac, "dns": {}})
    return entries


def status_text(entries: list[dict[str, Any]]) -> str:
    """The annotation's text, formatted as Multus formats it."""
    return json.dumps(entries, indent=4)
