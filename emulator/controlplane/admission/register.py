# SPDX-License-Identifier: Apache-2.0
"""Registers the webhooks with the API server."""

from __future__ import annotations

from functools import partial

from emulator.apiserver.admission import Admission, AdmissionRequest
from emulator.controlplane import names
from emulator.controlplane.admission import defaults
from emulator.controlplane.admission.evictions import EvictionInterceptor
from emulator.controlplane.admission.exports import check_export
from emulator.controlplane.admission.node_restriction import NodeRestriction
from emulator.controlplane.admission.validators import Validators
from emulator.controlplane.context import Shared


def register_webhooks(admission: Admission, shared: Shared) -> None:
    both, create, update = ("CREATE", "UPDATE"), ("CREATE",), ("UPDATE",)
    admission.mutating(names.VM, both, defaults.default_vm)
    admission.mutating(names.VMI, create, partial(defaults.default_vmi, shared.settings))
    admission.mutating(names.VMI, update, partial(defaults.keep_vmi_status, shared.platform))
    admission.mutating(names.MIGRATION, create, defaults.default_migration)
    admission.mutating(names.VM, update, partial(_written, shared))
    NodeRestriction(shared).register(admission)
    validators = Validators(shared)
    admission.validating(names.VM, both, validators.vm)
    admission.validating(names.VMI, create, validators.vmi_create)
    admission.validating(names.VMI, update, validators.vmi_update)
    admission.validating(names.MIGRATION, create, validators.migration_create)
    admission.validating(names.MIGRATION, update, validators.migration_update)
    admission.validating(names.KUBEVIRT, both, validators.kubevirt)
    admission.validating(names.EXPORT, create, check_export)
    admission.validating(names.PODS, create, EvictionInterceptor(shared).check, subresource="eviction")


async def _written(shared: Shared, request: AdmissionRequest) -> None:
    if not defaults.is_kubevirt(shared.platform, request):
        shared.fault_points.apply("admission.vm_written", None, request=request)
