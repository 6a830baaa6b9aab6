# SPDX-License-Identifier: Apache-2.0
"""The inside of a launcher pod: its containers and volumes, as each version of KubeVirt posts them.

None of it runs here. It is for those who look at pods: policies, quotas, and tools.
"""

from __future__ import annotations

import random
from typing import Any

from emulator.apiserver.objects import clone
from emulator.controlplane.accessors import Obj
from emulator.controlplane.profile import Profile
from emulator.controlplane.vmi.cpu import overhead_mib

IMAGE = "quay.io/kubevirt/virt-launcher:embedded"
QEMU_USER = 107
SHARED = "/var/run/kubevirt"
XDG = (
    {"name": "XDG_CACHE_HOME", "value": f"{SHARED}-private"},
    {"name": "XDG_CONFIG_HOME", "value": f"{SHARED}-private"},
    {"name": "XDG_RUNTIME_DIR", "value": "/var/run"},
)
POD_NAME = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}
DISK_LIMITS = {"cpu": "10m", "memory": "40M"}
DISK_REQUESTS = {"cpu": "1m", "ephemeral-storage": "50M", "memory": "1M"}
ON_ERROR = "FallbackToLogsOnError"


def pinned(vmi: Obj, source: Obj | None) -> Obj:
    """The VMI with the very images of its container disks that its source pod runs from, for a migration's target."""
    status = (source or {}).get("status") or {}
    running = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    digests = {entry["name"].removesuffix("-init"): str(entry.get("imageID") or "") for entry in running}
    for volume in (source or {}).get("spec", {}).get("volumes") or []:
        if "@" in (volume.get("image") or {}).get("reference", ""):
            digests[f"volume{volume['name']}"] = volume["image"]["reference"]
    new: Obj = clone(vmi)
    for name, disk in _container_disks(new):
        _, at, digest = digests.get(f"volume{name}", "").rpartition("@")
        if at and "@" not in disk["image"]:
            disk["image"] = f"{disk['image'].rpartition(':')[0] or disk['image']}@{digest}"
    return new


def volumes(vmi: Obj, profile: Profile) -> list[Obj]:
    first = ["private", "public", "sockets", "virt-bin-share-dir", "libvirt-runtime", "ephemeral-disks"]
    if not profile.image_volumes:
        return [*map(_empty, [*first, "container-disks"]), *_claims(vmi), _empty("hotplug-disks")]
    images = [_image(name, disk["image"], _policy(disk)) for name, disk in _container_disks(vmi)]
    launcher = [_image("launcher-volume", IMAGE, "IfNotPresent")] if _unknown_disks(vmi) else []
    return [*map(_empty, first), *images, *_claims(vmi), *launcher, _empty("hotplug-disks")]


def init_containers(vmi: Obj, profile: Profile) -> list[Obj]:
    log = f"{SHARED}-private/{vmi['metadata']['uid']}/virt-serial0-log"
    console = {
        "name": "guest-console-log",
        "image": IMAGE,
        "command": ["/usr/bin/virt-tail"],
        "args": ["--logfile", log],
        "env": [{"name": "VIRT_LAUNCHER_LOG_VERBOSITY", "value": "2"}],
        "resources": {"limits": {"cpu": "15m", "memory": "60M"}, "requests": {"cpu": "5m", "memory": "35M"}},
        "restartPolicy": "Always",
        "volumeMounts": [_mount("private", f"{SHARED}-private", readOnly=True)],
        "imagePullPolicy": "IfNotPresent",
        "securityContext": _security(),
    }
    disks = _container_disks(vmi)
    if profile.image_volumes:
        mounts = [_mount("launcher-volume", "/container-disk-binary", readOnly=True)]
        program = "/container-disk-binary/usr/bin/container-disk"
        asked = (_disk(f"volume{name}", disk, program, ["--no-op"], mounts) for name, disk in _unknown_disks(vmi))
        return [console, *asked]
    copied = {
        "name": "container-disk-binary",
        "image": IMAGE,
        "command": ["/usr/bin/cp", "--preserve=all", "/usr/bin/container-disk", "/init/usr/bin/container-disk"],
        "env": list(XDG),
        "resources": {"limits": {"cpu": "100m", "memory": "40M"}, "requests": {"cpu": "10m", "memory": "1M"}},
        "volumeMounts": [_mount("virt-bin-share-dir", "/init/usr/bin")],
        "terminationMessagePolicy": ON_ERROR,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": _security(runAsGroup=QEMU_USER),
    }
    checked = [
        _disk(f"volume{name}-init", disk, "/usr/bin/container-disk", ["--no-op"], _copied_mounts(vmi))
        for name, disk in disks
    ]
    return [console, *([copied] if disks else []), *checked]


def containers(vmi: Obj, profile: Profile, grace: int) -> list[Obj]:
    found = [_compute(vmi, profile, grace)]
    if profile.image_volumes:
        return found
    folder = _disk_folder(vmi)
    for number, (name, disk) in enumerate(_container_disks(vmi)):
        words = ["--copy-path", f"{folder}/disk_{number}"]
        found.append(_disk(f"volume{name}", disk, "/usr/bin/container-disk", words, _copied_mounts(vmi)))
    return found


def _compute(vmi: Obj, profile: Profile, grace: int) -> Obj:
    devices = {f"devices.kubevirt.io/{device}": "1" for device in ("kvm", "tun", "vhost-net")}
    monitor, words = "/usr/bin/virt-launcher-monitor", _words(vmi, profile, grace)
    called = {"command": [monitor], "args": words} if profile.monitor_args else {"command": [monitor, *words]}
    mounts = [
        _mount("private", f"{SHARED}-private"),
        _mount("public", SHARED),
        _mount("ephemeral-disks", f"{SHARED}-ephemeral-disks"),
        _mount("libvirt-runtime", "/var/run/libvirt"),
        _mount("sockets", f"{SHARED}/sockets"),
    ]
    if profile.image_volumes:
        mounts += [
            _mount(name, f"{SHARED}-image-volume/disk_{number}", readOnly=True)
            for number, (name, _) in enumerate(_container_disks(vmi))
        ]
    else:
        mounts.append(_mount("container-disks", f"{SHARED}/container-disks", mountPropagation="HostToContainer"))
    mounts.append(_mount("hotplug-disks", f"{SHARED}/hotplug-disks", mountPropagation="HostToContainer"))
    requests = {"cpu": _cpu(vmi), **devices, "ephemeral-storage": "50M", "memory": _memory(vmi, profile)}
    return {
        "name": "compute",
        "image": IMAGE,
        **called,
        "env": [*XDG, POD_NAME],
        "resources": {"limits": devices, "requests": requests},
        "volumeMounts": mounts,
        "terminationMessagePolicy": ON_ERROR,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": _security(runAsGroup=QEMU_USER, capabilities={"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]}),
    }


def _words(vmi: Obj, profile: Profile, grace: int) -> list[str]:
    meta = vmi["metadata"]
    # The real one draws the timeout, too, so that guests which start together do not give up together.
    patience = f"{random.randint(240, 360)}s"  # noqa: S311 - nothing secret
    ends = ("--image-volume", *(() if profile.monitor_args else ("--libvirt-hook-server-and-client",)))
    return [
        *("--qemu-timeout", patience, "--name", meta["name"], "--uid", meta["uid"], "--namespace", meta["namespace"]),
        *("--kubevirt-share-dir", SHARED, "--ephemeral-disk-dir", f"{SHARED}-ephemeral-disks"),
        *("--container-disk-dir", f"{SHARED}/container-disks", "--grace-period-seconds", str(grace + 15)),
        *(
            "--hook-sidecars",
            "0",
            "--ovmf-path",
            "/usr/share/edk2/ovmf" if profile.image_volumes else "/usr/share/OVMF",
        ),
        *("--disk-memory-limit", "2097152000", "--hypervisor", "kvm", "--run-as-nonroot"),
        *((*ends, "--upgrade-ordinal-ifaces") if profile.image_volumes else ()),
    ]


def _disk(name: str, disk: Obj, program: str, words: list[str], mounts: list[Obj]) -> Obj:
    return {
        "name": name,
        "image": disk["image"],
        "command": [program],
        "args": words,
        "resources": {"limits": dict(DISK_LIMITS), "requests": dict(DISK_REQUESTS)},
        "volumeMounts": mounts,
        "imagePullPolicy": _policy(disk),
        "securityContext": _security(),
    }


def _copied_mounts(vmi: Obj) -> list[Obj]:
    return [_mount("container-disks", _disk_folder(vmi)), _mount("virt-bin-share-dir", "/usr/bin")]


def _disk_folder(vmi: Obj) -> str:
    return f"{SHARED}-ephemeral-disks/container-disk-data/{vmi['metadata']['uid']}"


def _container_disks(vmi: Obj) -> list[tuple[str, Obj]]:
    found = vmi["spec"].get("volumes") or []
    return [(volume["name"], volume["containerDisk"]) for volume in found if "containerDisk" in volume]


def _unknown_disks(vmi: Obj) -> list[tuple[str, Obj]]:
    """Those whose images have no digest: a container that does nothing tells it."""
    return [(name, disk) for name, disk in _container_disks(vmi) if "@" not in disk["image"]]


def _policy(disk: Obj) -> str:
    return str(disk.get("imagePullPolicy", "IfNotPresent"))


def _claims(vmi: Obj) -> list[Obj]:
    found = []
    for volume in vmi["spec"].get("volumes") or []:
        claim = volume.get("persistentVolumeClaim", {}).get("claimName") or volume.get("dataVolume", {}).get("name")
        if claim:
            found.append({"name": volume["name"], "persistentVolumeClaim": {"claimName": claim}})
    return found


def _empty(name: str) -> Obj:
    return {"name": name, "emptyDir": {}}


def _image(name: str, reference: str, policy: str) -> Obj:
    return {"name": name, "image": {"reference": reference, "pullPolicy": policy}}


def _mount(name: str, path: str, **more: Any) -> Obj:
    return {"name": name, "mountPath": path, **more}


def _security(**more: Any) -> Obj:
    drop = {"capabilities": {"drop": ["ALL"]}}
    return {"runAsUser": QEMU_USER, "runAsNonRoot": True, "allowPrivilegeEscalation": False, **drop, **more}


def _cpu(vmi: Obj) -> str:
    """A tenth of a CPU for each of the guest's."""
    cpu = vmi["spec"]["domain"].get("cpu") or {}
    tenths = int(cpu.get("sockets") or 1) * int(cpu.get("cores") or 1) * int(cpu.get("threads") or 1)
    return f"{tenths * 100}m" if tenths % 10 else str(tenths // 10)


def _memory(vmi: Obj, profile: Profile) -> str:
    """Guest memory and overhead in MiB; KubeVirt's default request if the VM does not set any."""
    guest = str(vmi["spec"]["domain"].get("memory", {}).get("guest", "512Mi"))
    factors = {"Gi": 1024.0, "Mi": 1.0, "Ki": 1 / 1024, "G": 1e9 / 2**20, "M": 1e6 / 2**20}
    for unit, factor in factors.items():
        if guest.endswith(unit):
            return f"{int(float(guest[: -len(unit)]) * factor) + overhead_mib(vmi, profile)}Mi"
    return f"{int(float(guest) / 2**20) + overhead_mib(vmi, profile)}Mi"
