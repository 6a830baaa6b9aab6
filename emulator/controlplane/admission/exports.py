# SPDX-License-Identifier: Apache-2.0
"""The webhook for exports of a VM's storage. Nothing is exported here: an accepted export stays without a status."""

from __future__ import annotations

import re

from emulator.apiserver.admission import AdmissionRequest
from emulator.controlplane.admission.denials import INVALID, cause, denied, refuse

EXPORT = "virtualmachineexport-validator.export.kubevirt.io"
DURATION = re.compile(r"[-+]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+")
# The API group of each kind that can be exported, and what the webhook calls it.
SOURCES = {
    "VirtualMachine": ("kubevirt.io", "VM API group must be kubevirt.io", "Virtual Machine"),
    "VirtualMachineSnapshot": ("snapshot.kubevirt.io", "", ""),
    "PersistentVolumeClaim": ("", "", ""),
}


async def check_export(request: AdmissionRequest) -> None:
    spec = (request.new or {}).get("spec") or {}
    ttl, source = spec.get("ttlDuration"), spec.get("source") or {}
    if ttl is not None and not DURATION.fullmatch(str(ttl)):
        raise denied(EXPORT, f'time: invalid duration "{ttl}"')
    if source.get("kind") not in SOURCES:
        refuse(EXPORT, [cause(INVALID, "invalid kind", "spec.source.kind")])
    group, wrong_group, called = SOURCES[source["kind"]]
    if wrong_group and source.get("apiGroup", "") != group:
        refuse(EXPORT, [cause(INVALID, wrong_group, "spec.source.APIGroup")])
    if called and not source.get("name"):
        refuse(EXPORT, [cause(INVALID, f"{called} name must not be empty", "spec.source.name")])
