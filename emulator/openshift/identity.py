# SPDX-License-Identifier: Apache-2.0
"""Objects that identify the cluster: version, infrastructure, network type, cluster operators."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.apiserver.builtin import CRD_VERBS
from emulator.apiserver.columns import CRD_AGE, NAME
from emulator.apiserver.objects import new_uid
from emulator.apiserver.registry import Column, Resource
from emulator.controlplane.profile import Profile
from emulator.kube.client import Obj
from emulator.kube.timestamps import timestamp
from emulator.platforms.addon import Addon, AddonContext
from emulator.platforms.platform import Platform

from .objects import condition, made

GROUP = "config.openshift.io"
V1 = f"{GROUP}/v1"
OPERATORS = ("monitoring", "network")


def _condition(name: str, kind: str, field: str = "status") -> Column:
    date = "date" if field == "lastTransitionTime" else "string"
    return Column(name, f".status.conditions[?(@.type=='{kind}')].{field}", type=date)


def _config(plural: str, kind: str, *columns: Column, short_names: tuple[str, ...] = ()) -> Resource:
    return Resource(
        plural,
        kind,
        GROUP,
        namespaced=False,
        short_names=short_names,
        verbs=CRD_VERBS,
        custom=True,
        status=True,
        generation=True,
        columns=(NAME, *(columns or (CRD_AGE,))),
    )


RESOURCES = (
    _config(
        "clusterversions",
        "ClusterVersion",
        Column("Version", ".status.history[?(@.state=='Completed')].version"),
        _condition("Available", "Available"),
        _condition("Progressing", "Progressing"),
        _condition("Since", "Progressing", "lastTransitionTime"),
        _condition("Status", "Progressing", "message"),
    ),
    _config("infrastructures", "Infrastructure"),
    _config("networks", "Network"),
    _config(
        "clusteroperators",
        "ClusterOperator",
        Column("Version", ".status.versions[?(@.name=='operator')].version"),
        _condition("Available", "Available"),
        _condition("Progressing", "Progressing"),
        _condition("Degraded", "Degraded"),
        _condition("Since", "Available", "lastTransitionTime"),
        _condition("Message", "Progressing", "message"),
        short_names=("co",),
    ),
)


def shown_release(context: AddonContext) -> str:
    """The release in the cluster's version; it says that the cluster is an embedded one."""
    return f"{context.release}+embedded"


class Identity(Addon):
    """``config.openshift.io`` and its objects."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return RESOURCES

    async def install(self, context: AddonContext) -> None:
        version = shown_release(context)
        await context.ensure(f"clusterversions.{GROUP}", cluster_version(version), status=True)
        await context.ensure(f"infrastructures.{GROUP}", infrastructure(), status=True)
        await context.ensure(f"networks.{GROUP}", network(), status=True)
        operators = [cluster_operator(name, version) for name in OPERATORS]
        await context.ensure(f"clusteroperators.{GROUP}", *operators, status=True)


def cluster_version(version: str) -> Obj:
    image = f"quay.io/openshift-release-dev/ocp-release:{version.partition('+')[0]}-x86_64"
    now = timestamp()
    done = {"state": "Completed", "startedTime": now, "completionTime": now, "version": version, "image": image}
    minor = ".".join(version.split(".")[:2])
    said = [
        condition("Available", True, "", f"Done applying {version}"),
        condition("Failing", False),
        condition("Progressing", False, "", f"Cluster version is {version}"),
        condition("Upgradeable", True),
    ]
    return made(V1, "ClusterVersion", "version") | {
        "spec": {"channel": f"stable-{minor}", "clusterID": new_uid()},
        "status": {
            "availableUpdates": None,
            "conditions": said,
            "desired": {"image": image, "version": version},
            "history": [done | {"verified": False}],
            "observedGeneration": 1,
            "versionHash": "embedded",
        },
    }


def infrastructure() -> Obj:
    return made(V1, "Infrastructure", "cluster") | {
        "spec": {"cloudConfig": {"name": ""}, "platformSpec": {"type": "None"}},
        "status": {
            "apiServerInternalURI": "https://api-int.embedded.invalid:6443",
            "apiServerURL": "https://api.embedded.invalid:6443",
            "controlPlaneTopology": "HighlyAvailable",
            "cpuPartitioning": "None",
            "infrastructureName": "embedded",
            "infrastructureTopology": "HighlyAvailable",
            "platform": "None",
            "platformStatus": {"type": "None"},
        },
    }


def network() -> Obj:
    pods = [{"cidr": "10.128.0.0/14", "hostPrefix": 23}]
    shared = {"clusterNetwork": pods, "networkType": "OVNKubernetes", "serviceNetwork": ["172.30.0.0/16"]}
    return made(V1, "Network", "cluster") | {
        "spec": {**shared, "externalIP": {"policy": {}}, "networkDiagnostics": {"mode": ""}},
        "status": {**shared, "clusterNetworkMTU": 1400},
    }


def cluster_operator(name: str, version: str) -> Obj:
    said = [
        condition("Degraded", False, "AsExpected"),
        condition("Progressing", False, "AsExpected"),
        condition("Available", True, "AsExpected"),
        condition("Upgradeable", True, "AsExpected"),
    ]
    return made(V1, "ClusterOperator", name) | {
        "spec": {},
        "status": {"conditions": said, "extension": None, "versions": [{"name": "operator", "version": version}]},
    }
