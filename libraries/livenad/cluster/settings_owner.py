"""The resource in which KubeVirt's settings are changed: KubeVirt, or the HyperConverged that manages it."""

from __future__ import annotations

from livenad.api.kinds import KUBEVIRT, Kind, meta
from livenad.cluster.facts import ClusterFacts, KubeVirtFacts
from livenad.errors import LabError
from livenad.permissions.rights import Right

HYPERCONVERGED = Kind("hco.kubevirt.io/v1beta1", "hyperconvergeds", "HyperConverged")
"""The version that every release serves, with the same schema."""

HYPERCONVERGED_NAME = "kubevirt-hyperconverged"


def owned_by_hco(kubevirt: KubeVirtFacts) -> bool:
    """Whether a HyperConverged manages the KubeVirt resource, and reverts changes by others."""
    owners = meta(kubevirt.source, "ownerReferences", [])
    return kubevirt.name == f"kubevirt-{HYPERCONVERGED_NAME}" or any(
        owner.get("kind") == HYPERCONVERGED.name for owner in owners
    )


def right_to_switch(facts: ClusterFacts) -> Right:
    """The right to change settings. Raises LabError when the KubeVirt resource was not read."""
    kubevirt = known(facts.kubevirt)
    kind, name = owner_of(kubevirt)
    return Right("patch", kind.group, kind.plural, "settings of the cluster", kubevirt.namespace, name)


def known(kubevirt: KubeVirtFacts | None) -> KubeVirtFacts:
    """The installation whose resource was read. Raises LabError when it was not."""
    if kubevirt is None or not kubevirt.name:
        raise LabError("no right to read the KubeVirt resource, so its settings cannot be changed")
    return kubevirt


def owner_of(kubevirt: KubeVirtFacts) -> tuple[Kind, str]:
    """Kind and name of the resource in which settings are changed."""
    return (HYPERCONVERGED, HYPERCONVERGED_NAME) if owned_by_hco(kubevirt) else (KUBEVIRT, kubevirt.name)
