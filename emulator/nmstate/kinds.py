# SPDX-License-Identifier: Apache-2.0
"""NMState's kinds."""

from __future__ import annotations

from typing import Any

from ..apiserver.builtin import CRD_VERBS
from ..apiserver.columns import CRD_AGE, NAME
from ..apiserver.objects import Obj
from ..apiserver.registry import Column, Resource

GROUP = "nmstate.io"
BOTH, BETA = ("v1", "v1beta1"), ("v1beta1",)
_ANY: Obj = {"x-kubernetes-preserve-unknown-fields": True}
_TEXTS: Obj = {"type": "object", "additionalProperties": {"type": "string"}}
_POLICY: Obj = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "nodeSelector": _TEXTS,
                "capture": _TEXTS,
                "desiredState": _ANY,
                "maxUnavailable": {"x-kubernetes-int-or-string": True},
            },
        },
        "status": _ANY,
    },
}
# The reason of the one condition that is true.
_STATUS = Column("Status", ".status.conditions[?(@.status=='True')].type")
_REASON = Column("Reason", ".status.conditions[?(@.status=='True')].reason")


def _kind(plural: str, kind: str, versions: tuple[str, ...], short: tuple[str, ...], **more: Any) -> Resource:
    return Resource(
        plural,
        kind,
        GROUP,
        versions=versions,
        namespaced=False,
        short_names=short,
        verbs=CRD_VERBS,
        custom=True,
        status=True,
        generation=True,
        **more,
    )


NMSTATE = _kind("nmstates", "NMState", BOTH, (), columns=(NAME, CRD_AGE))
POLICIES = _kind(
    "nodenetworkconfigurationpolicies",
    "NodeNetworkConfigurationPolicy",
    BOTH,
    ("nncp",),
    schema=_POLICY,
    columns=(NAME, _STATUS, _REASON),
)
ENACTMENTS = _kind(
    "nodenetworkconfigurationenactments",
    "NodeNetworkConfigurationEnactment",
    BETA,
    ("nnce",),
    columns=(NAME, _STATUS, CRD_AGE, _REASON),
)
STATES = _kind("nodenetworkstates", "NodeNetworkState", BETA, ("nns",), columns=(NAME, CRD_AGE))
KINDS = (NMSTATE, POLICIES, ENACTMENTS, STATES)
