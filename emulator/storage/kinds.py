# SPDX-License-Identifier: Apache-2.0
"""CDI's kinds, and the one StorageClass."""

from __future__ import annotations

from ..apiserver.builtin import CRD_VERBS
from ..apiserver.columns import CRD_AGE, NAME
from ..apiserver.objects import Obj
from ..apiserver.registry import Column, Resource

GROUP = "cdi.kubevirt.io"
VERSION = f"{GROUP}/v1beta1"
PROVISIONER = "storage.embedded"
CLASS = "embedded-storage"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
DEFAULT_VIRT_CLASS = "storageclass.kubevirt.io/is-default-virt-class"
STORAGE_CLASSES = "storageclasses.storage.k8s.io"
# The access and volume modes of the class, the preferred one first.
CLAIMS = (
    {"accessModes": ["ReadWriteMany"], "volumeMode": "Block"},
    {"accessModes": ["ReadWriteOnce"], "volumeMode": "Block"},
    {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem"},
)
_ANY: Obj = {"x-kubernetes-preserve-unknown-fields": True}
_FIELDS = (
    "source sourceRef pvc storage contentType preallocation priorityClassName checkpoints finalCheckpoint "
    "claimPropertySets cloneStrategy"
)


def _schema() -> Obj:
    spec = {"type": "object", "properties": dict.fromkeys(_FIELDS.split(), _ANY)}
    return {"type": "object", "properties": {"spec": spec, "status": _ANY}}


DATA_VOLUMES = Resource(
    "datavolumes",
    "DataVolume",
    GROUP,
    versions=("v1beta1",),
    short_names=("dv", "dvs"),
    categories=("all",),
    verbs=CRD_VERBS,
    custom=True,
    status=True,
    generation=True,
    schema=_schema(),
    columns=(
        NAME,
        Column("Phase", ".status.phase", description="The phase the data volume is in"),
        Column("Progress", ".status.progress", description="Transfer progress in percentage if known, N/A otherwise"),
        CRD_AGE,
    ),
)
STORAGE_PROFILES = Resource(
    "storageprofiles",
    "StorageProfile",
    GROUP,
    versions=("v1beta1",),
    namespaced=False,
    verbs=CRD_VERBS,
    custom=True,
    status=True,
    generation=True,
    schema=_schema(),
    columns=(NAME, CRD_AGE),
)
KINDS = (DATA_VOLUMES, STORAGE_PROFILES)


def storage_class() -> Obj:
    marks = {DEFAULT_CLASS: "true", DEFAULT_VIRT_CLASS: "true"}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": marks},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
        "allowVolumeExpansion": True,
    }


def storage_profile() -> Obj:
    status = {"claimPropertySets": list(CLAIMS), "provisioner": PROVISIONER, "storageClass": CLASS}
    meta = {"name": CLASS, "labels": {"app": "containerized-data-importer"}}
    return {"apiVersion": VERSION, "kind": "StorageProfile", "metadata": meta, "spec": {}, "status": status}
