"""HyperConverged: the operator that owns the KubeVirt CR, and the webhook before it."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

from emulator.apiserver import writes
from emulator.apiserver.admission import AdmissionRequest
from emulator.apiserver.context import Call, Target
from emulator.apiserver.registry import Resource
from emulator.apiserver.users import service_account
from emulator.controlplane import names
from emulator.controlplane.instances import annotations_of
from emulator.controlplane.profile import Profile
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.openshift.objects import made
from emulator.platforms.part import Part, Site
from emulator.platforms.platform import Platform

from .kubevirt import JSONPATCH, PatchRefused, gate_off_patch, wanted_kubevirt
from .operator import OPERATOR, Operator
from .resource import API_VERSION, HCO, HCO_NAME, default_spec, resource

WEBHOOK = "validate-hco.kubevirt.io"


class HyperConverged(Part):
    """``hco.kubevirt.io``, its one object, and the operator that keeps KubeVirt's CR as that object wants it."""

    _operator: Operator

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return (resource(profile),)

    def register(self, site: Site) -> None:
        site.core.admission.mutating(HCO, ("CREATE", "UPDATE"), partial(default_spec, site.profile))
        site.core.admission.validating(HCO, ("CREATE", "UPDATE"), partial(check, site))
        self._operator = Operator(site)

    async def install(self, site: Site) -> None:
        await site.ensure(HCO, hyperconverged(site.profile, site.platform))
        await self._operator.sync((site.platform.kubevirt_namespace, HCO_NAME))

    def work(self, site: Site) -> Iterable[Coroutine[Any, Any, None]]:
        return self._operator.work()


def hyperconverged(profile: Profile, platform: Platform) -> Obj:
    """The CR of a fresh installation. Profile 1.8 is one whose user has switched the NAD's gate off."""
    hco = made(API_VERSION, "HyperConverged", HCO_NAME, namespace=platform.kubevirt_namespace)
    if profile.live_update == "gate" and not profile.feature_gates:
        hco["metadata"]["annotations"] = {JSONPATCH: gate_off_patch(profile)}
    return hco | {"spec": {}}


async def check(site: Site, request: AdmissionRequest) -> None:
    """Refuses a HyperConverged of which no valid KubeVirt CR can be made: tried by a dry run, as the real one does."""
    new, old = request.new, request.old
    if new is None or "deletionTimestamp" in new["metadata"]:
        return
    if old is not None and old.get("spec") == new.get("spec") and annotations_of(old) == annotations_of(new):
        return
    try:
        wanted = wanted_kubevirt(new, site.profile, site.platform)
    except PatchRefused as refused:
        raise ApiError(403, "Forbidden", _denial(str(refused))) from None
    meta = wanted["metadata"]
    kind = site.core.resource(names.KUBEVIRT)
    if site.core.find(kind, meta["namespace"], meta["name"]) is None:
        return
    user = service_account(meta["namespace"], OPERATOR)
    call = Call(user=user, manager=OPERATOR, dry_run=True, validation="Ignore")
    try:
        await writes.patch(
            site.core, call, Target(kind, meta["namespace"], meta["name"]), [_replace_spec(wanted["spec"])]
        )
    except ApiError as error:
        raise ApiError(error.code, error.reason, _denial(error.message), error.details) from None


def _denial(message: str) -> str:
    return f'admission webhook "{WEBHOOK}" denied the request: {message}'


def _replace_spec(spec: Obj) -> Obj:
    return {"op": "replace", "path": "/spec", "value": spec}
