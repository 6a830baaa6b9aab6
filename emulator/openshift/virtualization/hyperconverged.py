# SPDX-License-Identifier: Apache-2.0
"""HyperConverged: the operator that owns the KubeVirt CR, and its webhook."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

from emulator.apiserver import create_update
from emulator.apiserver.admission import AdmissionRequest
from emulator.apiserver.registry import Resource
from emulator.apiserver.request_context import Call, Target
from emulator.apiserver.users import service_account
from emulator.controlplane import names
from emulator.controlplane.accessors import annotations_of
from emulator.controlplane.profile import Profile
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.openshift.objects import made
from emulator.platforms.addon import Addon, AddonContext
from emulator.platforms.platform import Platform

from .kubevirt_cr import JSONPATCH, PatchRefused, gate_off_patch, wanted_kubevirt
from .operator import OPERATOR, Operator
from .resource import API_VERSION, HCO, HCO_NAME, default_spec, resource

WEBHOOK = "validate-hco.kubevirt.io"


class HyperConverged(Addon):
    """``hco.kubevirt.io``, its one object, and the operator that derives KubeVirt's CR from it."""

    _operator: Operator

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return (resource(profile),)

    def register(self, context: AddonContext) -> None:
        context.core.admission.mutating(HCO, ("CREATE", "UPDATE"), partial(default_spec, context.profile))
        context.core.admission.validating(HCO, ("CREATE", "UPDATE"), partial(check, context))
        self._operator = Operator(context)

    async def install(self, context: AddonContext) -> None:
        await context.ensure(HCO, hyperconverged(context.profile, context.platform))
        await self._operator.sync((context.platform.kubevirt_namespace, HCO_NAME))

    def controllers(self, context: AddonContext) -> Iterable[Coroutine[Any, Any, None]]:
        return self._operator.controllers()


def hyperconverged(profile: Profile, platform: Platform) -> Obj:
    """The CR of a new installation. In profile 1.8 its user has switched the NAD's gate off."""
    hco = made(API_VERSION, "HyperConverged", HCO_NAME, namespace=platform.kubevirt_namespace)
    if profile.live_update == "gate" and not profile.feature_gates:
        hco["metadata"]["annotations"] = {JSONPATCH: gate_off_patch(profile)}
    return hco | {"spec": {}}


async def check(context: AddonContext, request: AdmissionRequest) -> None:
    """Refuses a HyperConverged without a valid KubeVirt CR, by a dry run, as the real webhook does."""
    new, old = request.new, request.old
    if new is None or "deletionTimestamp" in new["metadata"]:
        return
    if old is not None and old.get("spec") == new.get("spec") and annotations_of(old) == annotations_of(new):
        return
    try:
        wanted = wanted_kubevirt(new, context.profile, context.platform)
    except PatchRefused as refused:
        raise ApiError(403, "Forbidden", _denial(str(refused))) from None
    meta = wanted["metadata"]
    kind = context.core.resource(names.KUBEVIRT)
    if context.core.find(kind, meta["namespace"], meta["name"]) is None:
        return
    user = service_account(meta["namespace"], OPERATOR)
    call = Call(user=user, manager=OPERATOR, dry_run=True, validation="Ignore")
    try:
        await create_update.patch(
            context.core, call, Target(kind, meta["namespace"], meta["name"]), [_replace_spec(wanted["spec"])]
        )
    except ApiError as error:
        raise ApiError(error.code, error.reason, _denial(error.message), error.details) from None


def _denial(message: str) -> str:
    return f'admission webhook "{WEBHOOK}" denied the request: {message}'


def _replace_spec(spec: Obj) -> Obj:
    return {"op": "replace", "path": "/spec", "value": spec}
