"""Settings of the whole cluster, changed for a while: by whom they are owned, and who may change them."""

from __future__ import annotations

from testbed.cluster.facts import ClusterFacts, KubeVirtFacts
from testbed.cluster.rights import Right
from testbed.errors import LabError
from testbed.objects.kinds import KUBEVIRT, Kind, meta

HYPERCONVERGED = Kind("hco.kubevirt.io/v1beta1", "hyperconvergeds", "HyperConverged")
"""The version that every release serves, and in one shape."""

HYPERCONVERGED_NAME = "kubevirt-hyperconverged"


def owned_by_hco(kubevirt: KubeVirtFacts) -> bool:
    """Whether a HyperConverged writes KubeVirt's resource, and undoes what others write into it."""
    owners = meta(kubevirt.source, "ownerReferences", [])
    return kubevirt.name == f"kubevirt-{HYPERCONVERGED_NAME}" or any(
        owner.get("kind") == HYPERCONVERGED.name for owner in owners
    )


def right_to_switch(facts: ClusterFacts) -> Right:
    """The right that a change of settings takes. Raises LabError where KubeVirt's resource is not known."""
    kubevirt = facts.kubevirt
    if kubevirt is None or not kubevirt.name:
        raise LabError("KubeVirt's resource may not be read, so its settings cannot be changed")
    kind, name = (HYPERCONVERGED, HYPERCONVERGED_NAME) if owned_by_hco(kubevirt) else (KUBEVIRT, kubevirt.name)
    return Right(
        "patch", kind.group.partition("/")[0], kind.plural, "settings of the cluster", kubevirt.namespace, name
    )
