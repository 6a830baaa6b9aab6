# SPDX-License-Identifier: Apache-2.0
"""The resource in which KubeVirt's settings are changed: KubeVirt, or the HyperConverged that manages it."""

from __future__ import annotations

from livenad.api.kinds import KUBEVIRT, Kind
from livenad.cluster.facts import HYPERCONVERGED_GROUP, HYPERCONVERGED_NAME, ClusterFacts, KubeVirtFacts
from livenad.errors import LabError
from livenad.permissions.rights import Right

V1BETA1, V1 = "v1beta1", "v1"
"""The versions of the HyperConverged whose fields are known; the first one has the same fields in every release."""


def hyperconverged(versions: tuple[str, ...] = ()) -> Kind:
    """The HyperConverged in a version that is served. Raises LabError when none of them is known."""
    version = next((one for one in (V1BETA1, V1) if one in (versions or (V1BETA1,))), None)
    if version is None:
        raise LabError(
            f"the HyperConverged is served as {', '.join(versions)}, and only {V1BETA1} and {V1} are known, so "
            "settings of the cluster cannot be changed"
        )
    return Kind(f"{HYPERCONVERGED_GROUP}/{version}", "hyperconvergeds", "HyperConverged")


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
    if kubevirt.owned_by_hco:
        return hyperconverged(kubevirt.hco_versions), HYPERCONVERGED_NAME
    return KUBEVIRT, kubevirt.name
