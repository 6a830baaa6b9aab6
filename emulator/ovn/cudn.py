# SPDX-License-Identifier: Apache-2.0
"""The kind ClusterUserDefinedNetwork: its fields and its validation."""

from __future__ import annotations

from typing import Any

from ..apiserver.objects import Obj
from ..apiserver.registry import ALL_VERBS, Column, Hooks, Resource
from ..apiserver.status_errors import Cause, invalid_value

TEXT: Obj = {"type": "string"}
ANY: Obj = {"x-kubernetes-preserve-unknown-fields": True}
OF_TOPOLOGY = {"Layer2": "layer2", "Layer3": "layer3", "Localnet": "localnet"}
NETWORK = "spec.network"
LOCALNET = "spec.network.localnet"
LAST_VLAN = 4094


def _object(required: tuple[str, ...] = (), **properties: Obj) -> Obj:
    found: Obj = {"type": "object", "properties": properties}
    return found | {"required": list(required)} if required else found


def _choice(*values: str) -> Obj:
    return TEXT | {"enum": list(values)}


_IPAM = _object(mode=_choice("Enabled", "Disabled"), lifecycle=_choice("Persistent"))
_VLAN = _object(("mode",), mode=_choice("Access"), access=_object(("id",), id={"type": "integer"}))
_LOCALNET = _object(
    ("physicalNetworkName", "role"),
    role=_choice("Secondary"),
    physicalNetworkName=TEXT,
    subnets={"type": "array", "items": TEXT},
    excludeSubnets={"type": "array", "items": TEXT},
    ipam=_IPAM,
    mtu={"type": "integer"},
    vlan=_VLAN,
)
_SELECTOR = _object(
    matchLabels={"type": "object", "additionalProperties": TEXT},
    matchExpressions={
        "type": "array",
        "items": _object(("key", "operator"), key=TEXT, operator=TEXT, values={"type": "array", "items": TEXT}),
    },
)
_NETWORK = _object(("topology",), topology=_choice(*OF_TOPOLOGY), layer2=ANY, layer3=ANY, localnet=_LOCALNET)
_SPEC = _object(("namespaceSelector", "network"), namespaceSelector=_SELECTOR, network=_NETWORK)
SCHEMA = _object(("spec",), spec=_SPEC, status=ANY)


def validate(new: Obj, old: Obj | None) -> list[Cause]:
    """The CRD's validation rules (CEL), with their messages."""
    network = (new.get("spec") or {}).get("network") or {}
    before = ((old or {}).get("spec") or {}).get("network")
    found = _immutable(network, before) if before else []
    topology = network.get("topology")
    for name, field in OF_TOPOLOGY.items():
        if (topology == name) != (field in network):
            why = f"spec.{field} is required when topology is {name} and forbidden otherwise"
            found.append(_refused(NETWORK, "object", why))
    localnet = network.get("localnet")
    return found + (_localnet(localnet) if isinstance(localnet, dict) else [])


def _immutable(new: Obj, old: Obj) -> list[Cause]:
    found = []
    if new.get("topology") != old.get("topology"):
        found.append(_refused(f"{NETWORK}.topology", "string", "Topology is immutable"))
    for name, field in OF_TOPOLOGY.items():
        if field in new and field in old and new[field] != old[field]:
            found.append(_refused(f"{NETWORK}.{field}", "object", f"{name} is immutable"))
    return found


def _localnet(localnet: Obj) -> list[Cause]:
    found = []
    ipam: Obj = localnet.get("ipam") or {}
    enabled = ipam.get("mode", "Enabled") == "Enabled"
    if enabled != bool(localnet.get("subnets")):
        why = "Subnets is required with ipam.mode is Enabled or unset, and forbidden otherwise"
        found.append(_refused(LOCALNET, "object", why))
    if ipam.get("lifecycle") == "Persistent" and not enabled:
        why = "lifecycle Persistent is only supported when ipam.mode is Enabled"
        found.append(_refused(f"{LOCALNET}.ipam", "object", why))
    name = str(localnet.get("physicalNetworkName", ""))
    if "," in name or ":" in name:
        why = "physicalNetworkName cannot contain `,` or `:` characters"
        found.append(_refused(f"{LOCALNET}.physicalNetworkName", "string", why))
    vlan = localnet.get("vlan")
    if isinstance(vlan, dict):
        found += _vlan(vlan)
    return found


def _vlan(vlan: Obj) -> list[Cause]:
    if (vlan.get("mode") == "Access") != ("access" in vlan):
        why = "vlan access config is required when vlan mode is 'Access', and forbidden otherwise"
        return [_refused(f"{LOCALNET}.vlan", "object", why)]
    number = (vlan.get("access") or {}).get("id")
    where = f"{LOCALNET}.vlan.access.id"
    if isinstance(number, int) and not 1 <= number <= LAST_VLAN:
        bound = f"less than or equal to {LAST_VLAN}" if number > LAST_VLAN else "greater than or equal to 1"
        return [invalid_value(where, str(number), f"{where} in body should be {bound}")]
    return []


def _refused(field: str, kind: str, why: str) -> Cause:
    """The error of a failed expression shows the type of the value, not the value."""
    return invalid_value(field, f'"{kind}"', why)


def plugin_config(cudn: Obj, namespace: str) -> dict[str, Any]:
    """The CNI configuration of the NAD in a namespace."""
    name, network = cudn["metadata"]["name"], cudn["spec"]["network"]
    topology = network["topology"]
    inner: Obj = network[OF_TOPOLOGY[topology]]
    config: dict[str, Any] = {
        "cniVersion": "1.1.0",
        "type": "ovn-k8s-cni-overlay",
        "name": f"cluster_udn_{name}",
        "netAttachDefName": f"{namespace}/{name}",
        "topology": topology.lower(),
        "role": str(inner.get("role", "Secondary")).lower(),
        "mtu": inner.get("mtu", 1500),
    }
    if subnets := inner.get("subnets"):
        # A list of addresses, or of addresses with the host prefix of each node's part.
        config["subnets"] = ",".join(
            entry if isinstance(entry, str) else f"{entry['cidr']}/{entry['hostSubnet']}" for entry in subnets
        )
    if topology == "Localnet":
        config["physicalNetworkName"] = inner["physicalNetworkName"]
        if vlan := (inner.get("vlan") or {}).get("access", {}).get("id"):
            config["vlanID"] = vlan
    return config


CUDN = Resource(
    "clusteruserdefinednetworks",
    "ClusterUserDefinedNetwork",
    "k8s.ovn.org",
    namespaced=False,
    short_names=("cudn",),
    verbs=ALL_VERBS,
    custom=True,
    status=True,
    generation=True,
    schema=SCHEMA,
    hooks=Hooks(validate=validate),
    columns=(Column("Name", ".metadata.name"), Column("Age", ".metadata.creationTimestamp", type="date")),
)
