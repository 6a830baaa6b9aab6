# SPDX-License-Identifier: Apache-2.0
"""The virt-launcher pod of a VMI, and the target pod of a migration."""

from __future__ import annotations

from emulator.apiserver.objects import clone
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, annotations_of, labels_of, owner_reference
from emulator.controlplane.network.pod_interfaces import (
    default_network,
    networks_annotation,
    uses_masquerade,
    wanted_attachments,
)
from emulator.controlplane.profile import Profile
from emulator.controlplane.vmi import containers
from emulator.controlplane.vmi.containers import QEMU_USER
from emulator.controlplane.vmi.cpu import overhead_mib
from emulator.fault_points import FaultPoints

DNS_LABEL = 63
# Annotations of kubectl, which KubeVirt does not copy to pods.
NOT_COPIED = frozenset({"kubectl.kubernetes.io/last-applied-configuration", *names.OBSERVED_VERSIONS})


def launcher_pod(vmi: Obj, profile: Profile, fault_points: FaultPoints, migration: Obj | None = None) -> Obj:
    """The pod as virt-controller posts it; with ``migration`` the target pod of that migration object."""
    meta = vmi["metadata"]
    pod: Obj = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": f"virt-launcher-{meta['name']}-",
            "namespace": meta["namespace"],
            "labels": _labels(vmi),
            "annotations": _annotations(vmi, profile, fault_points, migration),
            "ownerReferences": [owner_reference(vmi)],
        },
        "spec": _spec(vmi, profile),
    }
    if migration is not None:
        pod["metadata"]["labels"][names.MIGRATION_JOB_UID] = migration["metadata"]["uid"]
        pod["metadata"]["annotations"][names.MIGRATION_JOB_NAME] = migration["metadata"]["name"]
    return pod


def place_target(pod: Obj, vmi: Obj, source_node: Obj | None, migration: Obj) -> Obj:
    """Adds a target pod's node constraints: not the source node, and a CPU that the guest can continue on."""
    spec = pod["spec"]
    spec["nodeSelector"] |= _cpu_selector(source_node) | (migration["spec"].get("addedNodeSelector") or {})
    apart = {
        "labelSelector": {"matchLabels": {names.CREATED_BY: vmi["metadata"]["uid"]}},
        "topologyKey": "kubernetes.io/hostname",
    }
    anti = spec["affinity"].setdefault("podAntiAffinity", {})
    anti.setdefault("requiredDuringSchedulingIgnoredDuringExecution", []).append(apart)
    return pod


def _cpu_selector(node: Obj | None) -> dict[str, str]:
    selector = {}
    for label in labels_of(node) if node else {}:
        prefix, _, value = label.partition("/")
        if prefix == "cpu-vendor.node.kubevirt.io":
            selector[label] = "true"
        elif prefix == "host-model-cpu.node.kubevirt.io":
            selector[f"cpu-model-migration.node.kubevirt.io/{value}"] = "true"
    return selector


def _labels(vmi: Obj) -> dict[str, str]:
    name = vmi["metadata"]["name"][:DNS_LABEL]
    return {
        **labels_of(vmi),
        "kubevirt.io": "virt-launcher",
        names.CREATED_BY: vmi["metadata"]["uid"],
        "vm.kubevirt.io/name": name,
        "vmi.kubevirt.io/id": name,
    }


def _annotations(vmi: Obj, profile: Profile, fault_points: FaultPoints, migration: Obj | None) -> dict[str, str]:
    meta = vmi["metadata"]
    found = {k: v for k, v in annotations_of(vmi).items() if k not in NOT_COPIED}
    found |= {
        "descheduler.alpha.kubernetes.io/request-evict-only": "",
        "kubectl.kubernetes.io/default-container": "compute",
        "kubevirt.io/domain": meta["name"],
        "kubevirt.io/migrationTransportUnix": "true",
        "pre.hook.backup.velero.io/container": "compute",
        "pre.hook.backup.velero.io/command": _freezer("--freeze", meta),
        "pre.hook.backup.velero.io/timeout": "60s",
        "post.hook.backup.velero.io/container": "compute",
        "post.hook.backup.velero.io/command": _freezer("--unfreeze", meta),
    }
    if profile.tells_overhead:
        found["kubevirt.io/memory-overhead-bytes"] = str(overhead_mib(vmi, profile) * 1024**2)
    if uses_masquerade(vmi):
        found["istio.io/reroute-virtual-interfaces"] = "k6t-eth0"
        found["traffic.sidecar.istio.io/kubevirtInterfaces"] = "k6t-eth0"
    if default := default_network(vmi):
        found[names.DEFAULT_NETWORK] = default
    attachments = fault_points.apply("pod.networks", wanted_attachments(vmi), vmi=vmi, migration=migration)
    if attachments:
        found[names.NETWORKS] = networks_annotation(attachments)
    return found


def _freezer(action: str, meta: Obj) -> str:
    words = ("/usr/bin/virt-freezer", action, "--name", meta["name"], "--namespace", meta["namespace"])
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _spec(vmi: Obj, profile: Profile) -> Obj:
    spec = vmi["spec"]
    selector = {
        "kubernetes.io/arch": spec.get("architecture", "amd64"),
        names.SCHEDULABLE: "true",
        f"machine-type.node.kubevirt.io/{spec['domain'].get('machine', {}).get('type', 'q35')}": "true",
    }
    grace = int(spec.get("terminationGracePeriodSeconds", 30))
    return {
        "volumes": containers.volumes(vmi, profile),
        "initContainers": containers.init_containers(vmi, profile),
        "containers": containers.containers(vmi, profile, grace),
        "restartPolicy": "Never",
        # The guest has its own grace period; the launcher needs time to report afterwards.
        "terminationGracePeriodSeconds": grace + 30 if grace else 30,
        "dnsPolicy": spec.get("dnsPolicy", "ClusterFirst"),
        "nodeSelector": selector | (spec.get("nodeSelector") or {}),
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsUser": QEMU_USER,
            "runAsGroup": QEMU_USER,
            "runAsNonRoot": True,
            "fsGroup": QEMU_USER,
        },
        "hostname": str(spec.get("hostname") or vmi["metadata"]["name"])[:DNS_LABEL].replace(".", "-"),
        "affinity": _affinity(spec),
        "schedulerName": spec.get("schedulerName", "default-scheduler"),
        "tolerations": clone(spec.get("tolerations") or []),
        "readinessGates": [{"conditionType": names.UNPAUSED}],
        "enableServiceLinks": False,
    }


def _affinity(spec: Obj) -> Obj:
    """The VM's own affinity, and no node whose host model is outdated."""
    affinity: Obj = clone(spec.get("affinity") or {})
    avoid = {"key": "node-labeller.kubevirt.io/obsolete-host-model", "operator": "DoesNotExist"}
    required = affinity.setdefault("nodeAffinity", {}).setdefault("requiredDuringSchedulingIgnoredDuringExecution", {})
    terms = required.setdefault("nodeSelectorTerms", [])
    if not terms:
        terms.append({})
    for term in terms:
        term.setdefault("matchExpressions", []).append(avoid)
    return affinity
