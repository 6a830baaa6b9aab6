# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's validation of a VMI's spec besides its networks. ``prefix`` is ``spec`` or ``spec.template.spec``."""

from __future__ import annotations

import base64
import re

from emulator.controlplane.admission.denials import INVALID, REQUIRED, Obj, cause
from emulator.controlplane.admission.networks import check_networks
from emulator.controlplane.settings import Settings

EVICTION_STRATEGIES = ("None", "LiveMigrate", "LiveMigrateIfPossible", "External")
BUSES = ("virtio", "scsi", "sata", "usb")
CLOUD_INIT_LIMIT = 2048
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
DNS_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


def check_spec(prefix: str, spec: Obj, settings: Settings) -> list[Obj]:
    return [
        *check_networks(prefix, spec, settings),
        *_guest(prefix, spec),
        *_cpu(prefix, spec),
        *_disks(prefix, spec),
        *_volumes(prefix, spec),
    ]


def _guest(prefix: str, spec: Obj) -> list[Obj]:
    found = []
    hostname = spec.get("hostname")
    if hostname and not DNS_LABEL.fullmatch(hostname):
        where = f"{prefix}.hostname"
        found.append(cause(INVALID, f"{where} does not conform to the kubernetes DNS_LABEL rules : {DNS_RULE}", where))
    eviction = spec.get("evictionStrategy")
    if eviction and eviction not in EVICTION_STRATEGIES:
        where = f"{prefix}.evictionStrategy"
        found.append(cause(INVALID, f"{where} is set with an unrecognized option: {eviction}", where))
    if spec.get("dnsPolicy") == "None" and not spec.get("dnsConfig"):
        text = "must provide `dnsConfig` when `dnsPolicy` is None"
        found.append(cause(REQUIRED, text, f"{prefix}.dnsConfig"))
    machine = (spec["domain"].get("machine") or {}).get("type", "q35")
    if not re.fullmatch(r"(pc-)?q35.*", machine):
        where = f"{prefix}.domain.machine.type"
        found.append(cause(INVALID, f"{where} is not supported: {machine} (allowed values: [q35* pc-q35*])", where))
    for probe in ("livenessProbe", "readinessProbe"):
        ways = [f"{prefix}.{probe}.{way}" for way in ("tcpSocket", "exec", "httpGet")]
        if probe in spec and not any(key in spec[probe] for key in ("tcpSocket", "exec", "httpGet", "guestAgentPing")):
            where = f"{prefix}.{probe}"
            text = f"either {ways[0]}, {ways[1]} or {ways[2]} must be set if a {where} is specified"
            found.append(cause(REQUIRED, text, where))
    return found


def _cpu(prefix: str, spec: Obj) -> list[Obj]:
    cpu = spec["domain"].get("cpu") or {}
    if cpu.get("maxSockets") and cpu.get("sockets", 1) > cpu["maxSockets"]:
        text = "Number of sockets in CPU topology is greater than the maximum sockets allowed"
        return [cause(INVALID, text, f"{prefix}.domain.cpu.sockets")] * 2
    return []


def _disks(prefix: str, spec: Obj) -> list[Obj]:
    found = []
    volumes = {volume["name"] for volume in spec.get("volumes") or []}
    for index, disk in enumerate(spec["domain"]["devices"].get("disks") or []):
        where = f"{prefix}.domain.devices.disks[{index}]"
        if disk["name"] not in volumes:
            found.append(cause(INVALID, f"{where}.Name '{disk['name']}' not found.", f"{where}.name"))
        bus = (disk.get("disk") or {}).get("bus")
        if bus and bus not in BUSES:
            text = f"{where} is set with an unrecognized bus {bus}, must be one of: [{' '.join(BUSES)}]"
            found.append(cause(INVALID, text, f"{where}.disk.bus"))
    return found


def _volumes(prefix: str, spec: Obj) -> list[Obj]:
    found = []
    seen: dict[str, int] = {}
    for index, volume in enumerate(spec.get("volumes") or []):
        where = f"{prefix}.volumes[{index}]"
        if volume["name"] in seen:
            text = f"{where} and {prefix}.volumes[{seen[volume['name']]}] must not have the same Name."
            found.append(cause(INVALID, text, f"{where}.name"))
        seen.setdefault(volume["name"], index)
        for kind in ("cloudInitNoCloud", "cloudInitConfigDrive"):
            if kind in volume:
                found += _cloud_init(f"{where}.{kind}", volume[kind])
    return found


def _cloud_init(where: str, source: Obj) -> list[Obj]:
    users = [key for key in ("userData", "userDataBase64", "secretRef") if source.get(key)]
    nets = [key for key in ("networkData", "networkDataBase64", "networkDataSecretRef") if source.get(key)]
    if len(users) > 1:
        return [cause(INVALID, f"{where} must have only one userdatasource set.", where)]
    if len(nets) > 1:
        return [cause(INVALID, f"{where} must have only one networkdata source set.", where)]
    if not users and not nets:
        return [cause(INVALID, f"{where} must have at least one userdatasource or one networkdatasource set.", where)]
    found = []
    for key in (*users, *nets):
        if key in ("secretRef", "networkDataSecretRef"):
            continue
        text = source[key]
        size = len(base64.b64decode(text)) if key.endswith("Base64") else len(text.encode())
        if size > CLOUD_INIT_LIMIT:
            what = "userdata" if key.startswith("user") else "networkdata"
            source_name = f"{where} {what} exceeds {CLOUD_INIT_LIMIT} byte limit. "
            advice = (
                "Should use UserDataSecretRef for larger data."
                if what == "userdata"
                else ("Should use NetworkDataSecretRef for larger data.")
            )
            found.append(cause(INVALID, source_name + advice, f"{where}.{key}"))
    return found
