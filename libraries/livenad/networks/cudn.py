"""Localnets as ClusterUserDefinedNetworks: OVN-Kubernetes makes a NAD of each in the chosen namespace."""

from __future__ import annotations

from collections.abc import Collection

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
    """Wait until the network is created and its NAD is in ``namespace``; LabError when that does not come.

    NetworkCreated alone is not enough: it is true of a network that no namespace was chosen for.
    """
    with following(cluster, (CLUSTER_NETWORK, None, ""), (NAD, namespace, "")) as history:

        def missing() -> str:
            shown = _network_created(history.current(CLUSTER_NETWORK, name) or {})
            if shown.get("status") == "True":
                return "" if history.current(NAD, name) else f"NAD {namespace}/{name} is not there"
            said = f"NetworkCreated is {shown.get('status', 'absent')}: {shown.get('message', 'no message')}"
            return f"!{said}" if _HOPELESS in said else said

        awaited = f"ClusterUserDefinedNetwork {name} in namespace {namespace}"
        said, waited = wait_out(history, missing, awaited=awaited, within=within, heartbeat=heartbeat)
    if said:
        raise LabError(
            f"expected {awaited}, for {waited} it was not: {said}; see the resource, or raise NETWORK_TIMEOUT"
        )


def remove_networks(cluster: Cluster, names: list[str], within: float, heartbeat: Heartbeat) -> list[str]:
    """Delete networks whose guests are gone and wait until they are gone as well; a line for each that stays."""
    for name in names:
        cluster.delete(CLUSTER_NETWORK, name)
    with following(cluster, (CLUSTER_NETWORK, None, "")) as history:

        def staying() -> list[str]:
            found = [item for item in history.all(CLUSTER_NETWORK) if meta(item, "name") in names]
            return [f"{meta(item, 'name')}: {_network_created(item).get('message', 'still there')}" for item in found]

        awaited = "ClusterUserDefinedNetworks gone"
        wait_out(history, lambda: "; ".join(staying()), awaited=awaited, within=within, heartbeat=heartbeat)
        return [f"ClusterUserDefinedNetwork {line}" for line in staying()]


def await_guests_gone(recorder: Recorder, within: float, but: Collection[str] = ()) -> list[str]:
    """Wait until no VM runs in a namespace and no launcher pod is left, not even one that has ended.

    ``but`` are VMs that were there before the suite, and stay.
    """

    def staying() -> list[str]:
        history = recorder.history
        return [
            f"{kind.name} {meta(item, 'name')}"
            for kind in (VMI, POD)
            for item in history.all(kind)
            if vm_of(kind, item) not in but
        ]

    gone = recorder.wait_for(
        lambda _: not staying(), within, f"guests of {recorder.namespace} gone", lambda: ", ".join(staying())
    )
    return [] if gone else [f"{title} is still in {recorder.namespace}" for title in staying()]


def _network_created(item: Object) -> Object:
    conditions = dig(item, "status", "conditions", default=[]) or []
    return next((entry for entry in conditions if entry.get("type") == "NetworkCreated"), {})
