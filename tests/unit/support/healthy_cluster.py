# SPDX-License-Identifier: Apache-2.0
"""What a cluster shows on which networks can be swapped."""

from __future__ import annotations

from tests.unit.support.fake_api import FakeApi, Object

PUBLIC_VERSION = "/apis/subresources.kubevirt.io/v1/version"


def node(name: str, *labels: str, ready: str = "True", schedulable: str = "true", **spec: object) -> Object:
    return {
        "metadata": {
            "name": name,
            "labels": {"kubevirt.io/schedulable": schedulable, **dict.fromkeys(labels, "true")},
        },
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def kubevirt(
    version: str = "v1.9.0", methods: tuple[str, ...] = ("LiveMigrate",), gates: tuple[str, ...] = ()
) -> Object:
    return {
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {
            "configuration": {"developerConfiguration": {"featureGates": list(gates)}},
            "workloadUpdateStrategy": {"workloadUpdateMethods": list(methods)},
        },
        "status": {"phase": "Deployed", "observedKubeVirtVersion": version},
    }


def serve(api: FakeApi, *groups: str) -> None:
    api.answers["GET", "/apis"] = {"groups": [{"name": group} for group in groups]}
