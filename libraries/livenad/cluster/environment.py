# SPDX-License-Identifier: Apache-2.0
"""What stands around KubeVirt on a cluster: platform, network operators, storage. Each measurement reads, none writes.

What we may not read is unknown, never a failure: a VM owner's kubeconfig sees little of a cluster.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import Kind, Object, dig, meta
from livenad.cluster.facts import ClusterFacts
from livenad.cluster.nodes import OVN_MARK
from livenad.settings import Settings

CLUSTER_VERSION = Kind("config.openshift.io/v1", "clusterversions", "ClusterVersion", namespaced=False)
DAEMON_SET = Kind("apps/v1", "daemonsets", "DaemonSet")
CONFIG_MAP = Kind("v1", "configmaps", "ConfigMap")
NMSTATE = Kind("nmstate.io/v1", "nmstates", "NMState", namespaced=False)
NODE_STATE = Kind("nmstate.io/v1beta1", "nodenetworkstates", "NodeNetworkState", namespaced=False)
STORAGE_CLASS = Kind("storage.k8s.io/v1", "storageclasses", "StorageClass", namespaced=False)
CLUSTER_NETWORK = Kind("k8s.ovn.org/v1", "clusteruserdefinednetworks", "ClusterUserDefinedNetwork", namespaced=False)

_PAGE = 20
_BRIDGE_PLUGIN = ("kube-cni-linux-bridge-plugin", "bridge-marker")
_DEFAULT_CLASSES = ("storageclass.kubevirt.io/is-default-virt-class", "storageclass.kubernetes.io/is-default-class")
_MULTUS_CONFIGS = (("kube-system", "multus-daemon-config"), ("kube-system", "multus-cni-config"))


@dataclass(frozen=True)
class Measured:
    """``there``: True, False, or None where it cannot be told. ``value`` is what was seen, in words.

    ``because_of_rights``: where it cannot be told, whether rights to read are what is missing.
    """

    there: bool | None
    value: str
    because_of_rights: bool = True


@dataclass(frozen=True)
class Lab:
    """What a measurement may look at."""

    cluster: Cluster
    facts: ClusterFacts
    settings: Settings


def platform(lab: Lab) -> Measured:
    """OpenShift and its version, or plain Kubernetes."""
    served = lab.facts.serves("config.openshift.io")
    if not served:
        return Measured(served, "plain Kubernetes" if served is False else "API groups may not be listed")
    item, why = _get(lab.cluster, CLUSTER_VERSION, "version")
    done = [entry for entry in dig(item or {}, "status", "history") or [] if entry.get("state") == "Completed"]
    version = str(done[0].get("version")) if done else dig(item or {}, "status", "desired", "version")
    return Measured(True, f"OpenShift {version}" if version else f"OpenShift, its version is unknown{why}")


def nmstate(lab: Lab) -> Measured:
    """NMState, with its operator at work: a CRD alone accepts policies that are not carried out."""
    served = lab.facts.serves("nmstate.io")
    if not served:
        return Measured(served, "nmstate.io is not served" if served is False else "API groups may not be listed")
    looked_at = 0
    try:
        for states, left in lab.cluster.pages(NODE_STATE, _PAGE):  # each is large
            looked_at += len(states)
            seen = sum(bool(dig(state, "status", "lastSuccessfulUpdateTime")) for state in states)
            if seen:
                more = f" of the {looked_at} that were looked at, {left} more are there" if left else ""
                return Measured(True, f"NMState reports {seen} nodes{more}")
    except ApiError as error:
        if error.status == 403:
            return Measured(None, "nmstate.io is served, but NodeNetworkStates are unknown (forbidden)")
        if error.status != 404:
            raise
    return Measured(False, f"nmstate.io is served, but none of {looked_at} NodeNetworkStates was ever updated")


def ovn_kubernetes(lab: Lab) -> Measured:
    """OVN-Kubernetes, by its API group, which OpenShift has, else by its mark on the nodes."""
    if lab.facts.serves("k8s.ovn.org"):
        return Measured(True, "k8s.ovn.org is served")
    nodes = lab.facts.nodes
    if nodes is None:
        return Measured(None, "k8s.ovn.org is not served, and the nodes are unknown (forbidden)")
    shown = f"{len(nodes.of_ovn)} of {len(nodes.names)} nodes have the annotation {OVN_MARK}"
    return Measured(bool(nodes.of_ovn), shown if nodes.of_ovn else f"k8s.ovn.org is not served, and {shown}")


def bridge_plugin(lab: Lab) -> Measured:
    """The bridge CNI plugin, by the DaemonSets that bring it; the plugin itself shows nowhere in the API."""
    sets, why = _list(lab.cluster, DAEMON_SET)
    names = sorted({str(meta(item, "name")) for item in sets or []} & set(_BRIDGE_PLUGIN))
    if names:
        return Measured(True, f"DaemonSet {', '.join(names)}")
    return Measured(None, f"the API does not show it{why}; the first VM of a suite will")


def dynamic_networks_controller(lab: Lab) -> Measured:
    """The controller that plugs NICs into running pods."""
    sets, why = _list(lab.cluster, DAEMON_SET, "app=dynamic-networks-controller")
    if sets is None:
        return Measured(None, f"DaemonSets are unknown{why}")
    if not sets:
        return Measured(False, "no DaemonSet has the label app=dynamic-networks-controller")
    return Measured(True, f"DaemonSet {meta(sets[0], 'namespace')}/{meta(sets[0], 'name')}")


def storage(lab: Lab) -> Measured:
    """A StorageClass for volumes of one node, the chosen or the default one."""
    chosen = str(getattr(lab.settings, "storage_class", "") or "")
    classes, why = _list(lab.cluster, STORAGE_CLASS)
    if classes is None:
        return Measured(
            True if chosen else None, f"StorageClasses are unknown{why}" + (f", {chosen}" if chosen else "")
        )
    names = [str(meta(item, "name")) for item in classes]
    if chosen:
        there = chosen in names
        return Measured(there, f"StorageClass {chosen}" if there else f"STORAGE_CLASS is {chosen}, there are: {names}")
    for mark in _DEFAULT_CLASSES:
        for item in classes:
            if meta(item, "annotations", {}).get(mark) == "true":
                return Measured(True, f"StorageClass {meta(item, 'name')}, the default")
    return Measured(False, f"no default among StorageClasses {names}")


def foreign_nads(lab: Lab) -> Measured:
    """Whether Multus lets a pod use a NAD of another namespace, and we may have one."""
    if lab.settings.namespace:
        return Measured(False, f"variable NAMESPACE is {lab.settings.namespace}, and there is no second namespace")
    if lab.facts.openshift:
        return Measured(False, "Multus runs with namespaceIsolation, as on every OpenShift")
    for namespace, name in _MULTUS_CONFIGS:
        item, _ = _get(lab.cluster, CONFIG_MAP, name, namespace)
        if item is not None and _isolates(item):
            return Measured(False, f"Multus runs with namespaceIsolation (ConfigMap {namespace}/{name})")
    return Measured(True, "Multus runs without namespaceIsolation, so far as its configuration may be read")


def second_bridge(lab: Lab) -> Measured:
    """The bridge of variable OTHER_BRIDGE: as bridge-marker shows it on the nodes, else on trust."""
    bridge = lab.settings.other_bridge
    how = lab.settings.node_network
    if not bridge:
        return Measured(False, "variable OTHER_BRIDGE is empty")
    if how == "node-local":
        return Measured(False, "NODE_NETWORK is node-local, and one such bridge is like another")
    if how == "nmstate":
        return nmstate(lab)
    marked = lab.facts.nodes.bridges if lab.facts.nodes else {}
    usable = lab.facts.nodes.usable if lab.facts.nodes else ()
    if not any(marked.values()):
        return Measured(True, f"{bridge}, by variable OTHER_BRIDGE; no bridge-marker tells more")
    missing = [name for name in usable if bridge not in marked.get(name, ())]
    if missing:
        return Measured(False, f"bridge {bridge} is not on node {', '.join(missing)}, says bridge-marker")
    return Measured(True, f"bridge {bridge} is on {', '.join(usable)}")


def _isolates(config: Object) -> bool:
    for text in (dig(config, "data") or {}).values():
        try:
            found = json.loads(text)
        except ValueError:
            continue
        # Alone, or among the plugins of a list.
        plugins = dig(found, "plugins", default=[])
        if any(dig(one, "namespaceIsolation") for one in [found, *(plugins if isinstance(plugins, list) else [])]):
            return True
    return False


def _get(cluster: Cluster, kind: Kind, name: str, namespace: str | None = None) -> tuple[Object | None, str]:
    """An object; or None, and why in brackets when we may not see it."""
    try:
        return cluster.get(kind, name, namespace), ""
    except ApiError as error:
        if error.status not in (403, 404):
            raise
        return None, " (forbidden)" if error.status == 403 else ""


def _list(cluster: Cluster, kind: Kind, labels: str = "") -> tuple[list[Object] | None, str]:
    """Objects of all namespaces, none where their kind is not served; or None, and why."""
    try:
        return cluster.list(kind, labels=labels).items, ""
    except ApiError as error:
        if error.status == 404:
            return [], ""
        if error.status != 403:
            raise
        return None, " (forbidden)"
