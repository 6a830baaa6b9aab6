# SPDX-License-Identifier: Apache-2.0
"""What keeps a virt-handler to its own node: a feature gate for VMIs, an admission policy for nodes.

Both know the node from the token, which is bound to a pod of that node.
"""

from __future__ import annotations

from collections.abc import Iterator

from emulator.apiserver.admission import Admission, AdmissionRequest
from emulator.apiserver.users import NODE_NAME
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj, annotations_of, labels_of, migration_state
from emulator.controlplane.admission.denials import INVALID, VMI_UPDATE, cause, refuse
from emulator.controlplane.context import Shared
from emulator.kube.errors import ApiError

GATE = "NodeRestriction"
POLICY, BINDING = "kubevirt-node-restriction-policy", "kubevirt-node-restriction-binding"
NOT_YOURS = "this user cannot modify this node"
NOT_SPEC = "this user cannot modify spec of node"
NOT_METADATA = "this user can only change allowed metadata fields"
CHANGEABLE = ("labels", "annotations", "managedFields", "resourceVersion")


class NodeRestriction:
    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.handler = shared.platform.service_account(names.HANDLER_USER)

    def register(self, admission: Admission) -> None:
        admission.validating(names.VMI, ("UPDATE",), self.vmi)
        admission.validating(names.NODES, ("UPDATE",), self.node)

    async def vmi(self, request: AdmissionRequest) -> None:
        """Part of the webhook for VMIs; with the gate off it asks nothing."""
        if request.user.name != self.handler or not self.shared.settings.gate(GATE):
            return
        said = _wrong_vmi(_node_of(request), request.old or {}, request.new or {})
        refuse(VMI_UPDATE, [cause(INVALID, f"Node restriction{said}")] if said else [])

    async def node(self, request: AdmissionRequest) -> None:
        """The policy's validations, in their order; the first that fails is told."""
        if request.user.name != self.handler or request.old is None or request.new is None:
            return
        # Before 1.9 there is no recording of it.
        if not self.shared.profile.beta_gates_on:
            return
        for said in _wrong_node(_node_of(request), request.old, request.new):
            by = f"ValidatingAdmissionPolicy '{POLICY}' with binding '{BINDING}' denied request"
            message = f'nodes "{request.name}" is forbidden: {by}: {said}'
            raise ApiError(
                403,
                "Forbidden",
                message,
                {"name": request.name, "kind": "nodes", "causes": [{"message": f"{by}: {said}"}]},
            )


def _node_of(request: AdmissionRequest) -> str:
    return next(iter(request.user.extra.get(NODE_NAME, ())), "")


def _wrong_vmi(node: str, old: Obj, new: Obj) -> str:
    target = migration_state(old).get("targetNode", "")
    if not node:
        return " failed, virt-handler service account is missing node name"
    if node not in (old.get("status", {}).get("nodeName"), target):
        return ", virt-handler is only allowed to modify VMIs it owns"
    if not target and migration_state(new).get("targetNode"):
        return ", virt-handler is not allowed to set target node"
    return ""


def _wrong_node(node: str, old: Obj, new: Obj) -> Iterator[str]:
    if node != new["metadata"]["name"]:
        yield NOT_YOURS
    if new.get("spec") != old.get("spec"):
        yield NOT_SPEC
    before, after = ({k: v for k, v in obj["metadata"].items() if k not in CHANGEABLE} for obj in (old, new))
    if before != after:
        yield NOT_METADATA
    for kind, of, own in (("labels", labels_of, ("cpumanager",)), ("annotations", annotations_of, ())):
        foreign = [{k: v for k, v in of(obj).items() if "kubevirt.io" not in k and k not in own} for obj in (old, new)]
        if foreign[0].keys() != foreign[1].keys():
            yield f"this user cannot add/delete non kubevirt-owned {kind}"
        elif foreign[0] != foreign[1]:
            yield f"this user cannot update non kubevirt-owned {kind}"
