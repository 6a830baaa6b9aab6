# SPDX-License-Identifier: Apache-2.0
"""Localnets as ClusterUserDefinedNetworks: OVN-Kubernetes creates a NAD for each in the selected namespace."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from livenad.api.client import Cluster
from livenad.api.kinds import NAD, POD, VMI, Kind, Object, dig, meta, vm_of
from livenad.api.recorder import Heartbeat, Recorder
from livenad.api.temporary_watch import following, wait_out
from livenad.errors import LabError

CLUSTER_NETWORK = Kind("k8s.ovn.org/v1", "clusteruserdefinednetworks", "ClusterUserDefinedNetwork", namespaced=False)

_HOPELESS = "foreign NetworkAttachmentDefinition"


def localnet_cudn(name: str, namespace: str, physical_network: str, vlan: int) -> Object:
    """A localnet on one VLAN of a physical network, for one namespace."""
    return {
        "apiVersion": CLUSTER_NETWORK.api_version,
        "kind": CLUSTER_NETWORK.name,
        "metadata": {"name": name},
        "spec": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "network": {
                "topology": "Localnet",
                "localnet": {
                    "role": "Secondary",
                    "physicalNetworkName": physical_network,
                    "ipam": {"mode": "Disabled"},
                    "vlan": {"mode": "Access", "access": {"id": vlan}},
                },
            },
        },
    }


def await_created(cluster: Cluster, name: str, namespace: str, within: float, heartbeat: Heartbeat) -> None:
    """Wait until the network is created and its NAD is in ``namespace``; LabError after ``within`` s.

    NetworkCreated alone is not enough: it is also True when no namespace is selected.
    """
    with following(cluster, (CLUSTER_NETWORK, None, ""), (NAD, namespace, "")) as history:

        def missing() -> str:
            shown = _network_created(history.current(CLUSTER_NETWORK, name) or {})
            if shown.get("status") == "True":
                return "" if history.current(NAD, name) else f"NAD {namespace}/{name} does not exist"
            said = f"NetworkCreated is {shown.get('status', 'absent')}: {shown.get('message', 'no message')}"
            return f"!{said}" if _HOPELESS in said else said

        awaited = f"ClusterUserDefinedNetwork {name} in namespace {namespace}"
        said, waited = wait_out(history, missing, awaited=awaited, within=within, heartbeat=heartbeat)
    if said:
        raise LabError(
            f"expected {awaited}, it was not created for {waited}: {said}; see the resource, or raise NETWORK_TIMEOUT"
        )


def remove_networks(cluster: Cluster, networks: Mapping[str, str], within: float, heartbeat: Heartbeat) -> list[str]:
    """Delete networks whose guests are gone and wait until they are removed; a line for each that remains.

    ``networks`` maps names to uids: one of that name that another client has made since is kept.
    """
    for name, uid in networks.items():
        cluster.delete(CLUSTER_NETWORK, name, uid=uid)
    with following(cluster, (CLUSTER_NETWORK, None, "")) as history:

        def remaining() -> list[str]:
            found = [item for item in history.all(CLUSTER_NETWORK) if meta(item, "uid") in networks.values()]
            return [f"{meta(item, 'name')}: {_network_created(item).get('message', 'still there')}" for item in found]

        awaited = "ClusterUserDefinedNetworks gone"
        wait_out(history, lambda: "; ".join(remaining()), awaited=awaited, within=within, heartbeat=heartbeat)
        return [f"ClusterUserDefinedNetwork {line}" for line in remaining()]


def await_guests_gone(recorder: Recorder, within: float, but: Collection[str] = ()) -> list[str]:
    """Wait until a namespace has no VMI and no launcher pod, not even one that has ended.

    ``but`` are VMs that existed before the suite and are kept.
    """

    def remaining() -> list[str]:
        history = recorder.history
        return [
            f"{kind.name} {meta(item, 'name')}"
            for kind in (VMI, POD)
            for item in history.all(kind)
            if vm_of(kind, item) not in but
        ]

    gone = recorder.wait_for(
        lambda _: not remaining(), within, f"guests of {recorder.namespace} gone", lambda: ", ".join(remaining())
    )
    return [] if gone else [f"{title} is still in {recorder.namespace}" for title in remaining()]


def _network_created(item: Object) -> Object:
    conditions = dig(item, "status", "conditions", default=[]) or []
    return next((entry for entry in conditions if entry.get("type") == "NetworkCreated"), {})
