# SPDX-License-Identifier: Apache-2.0
"""Quotas and limit ranges of a namespace, as far as launcher pods go."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.controlplane import names
from emulator.controlplane.accessors import phase
from emulator.kube import conditions
from emulator.kube.errors import ApiError

from .lab import NAMESPACE, Lab, running_lab

Obj = dict[str, Any]
REJECTED = "migrationRejectedByResourceQuota"


async def quota(lab: Lab, **hard: str) -> None:
    spec = {"hard": {key.replace("_", "."): value for key, value in hard.items()}}
    meta = {"name": "q", "namespace": NAMESPACE}
    await lab.client.create(
        "resourcequotas", {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec}
    )


def told(lab: Lab) -> list[str]:
    return [event["message"] for event in lab.events("FailedCreate")]


async def test_quota_for_one_launcher_holds_the_target_back_until_there_is_room() -> None:
    async with running_lab("1.9") as lab:
        await quota(lab, pods="1", requests_memory="2Gi")
        await lab.running_vm()
        await lab.swap("nad-b")
        await lab.until("it is told", lambda: bool(told(lab)))
        over = "requested: pods=1,requests.memory=1389760192, used: pods=1,requests.memory=1389760192"
        assert f"is forbidden: exceeded quota: q, {over}, limited: pods=1,requests.memory=2Gi" in told(lab)[0]
        await lab.until("and shown", lambda: conditions.is_true(lab.migrations()[0], REJECTED))
        assert phase(lab.migrations()[0]) == "Pending"
        assert len(lab.all_of("Pod")) == 1
        status = (await lab.client.get("resourcequotas", "q", NAMESPACE))["status"]
        assert status["used"] == {"pods": "1", "requests.memory": "1389760192"}
        hard = {"spec": {"hard": {"pods": "2", "requests.memory": "4Gi"}}}
        await lab.client.patch("resourcequotas", "q", NAMESPACE, hard)
        await lab.until("it goes on", lambda: phase(lab.migrations()[0]) == "Succeeded")
        assert not conditions.find(lab.migrations()[0], REJECTED)


async def test_quota_on_limits_asks_for_limits() -> None:
    async with running_lab("1.9") as lab:
        await quota(lab, limits_cpu="10")
        await lab.create_vm()
        await lab.until("it is told", lambda: bool(told(lab)))
        assert "is forbidden: failed quota: q: must specify limits.cpu for: compute" in told(lab)[0]


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        (
            {"type": "Container", "max": {"memory": "1Gi"}},
            "maximum memory usage per Container is 1Gi, but request is 1292Mi",
        ),
        ({"type": "Container", "min": {"cpu": "5m"}}, "minimum cpu usage per Container is 5m, but request is 1m"),
        ({"type": "Pod", "max": {"memory": "1Gi"}}, "maximum memory usage per Pod is 1Gi, but request is 1389760192"),
    ],
)
async def test_limit_range_bounds_launchers(limit: Obj, message: str) -> None:
    async with running_lab("1.9") as lab:
        await limit_range(lab, limit)
        await lab.create_vm()
        await lab.until("it is told", lambda: bool(told(lab)))
        assert message in told(lab)[0]


async def test_limit_range_gives_what_a_container_does_not_name() -> None:
    async with running_lab("1.9") as lab:
        await limit_range(lab, {"type": "Container", "default": {"cpu": "2"}, "defaultRequest": {"cpu": "1"}})
        await lab.create_vm()
        await lab.until("there is a pod", lambda: bool(lab.all_of("Pod")))
        resources = lab.all_of("Pod")[0]["spec"]["containers"][0]["resources"]
        assert (resources["limits"]["cpu"], resources["requests"]["cpu"]) == ("2", "100m")


async def limit_range(lab: Lab, limit: Obj) -> None:
    meta = {"name": "bounds", "namespace": NAMESPACE}
    made = {"apiVersion": "v1", "kind": "LimitRange", "metadata": meta, "spec": {"limits": [limit]}}
    await lab.client.create("limitranges", made)


async def test_quota_counts_objects_of_any_kind() -> None:
    async with running_lab("1.9") as lab:
        key = "count/network-attachment-definitions.k8s.cni.cncf.io"
        meta = {"name": "q", "namespace": NAMESPACE}
        spec = {"hard": {key: "3"}}
        made = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec}
        await lab.client.create("resourcequotas", made)
        nad = await lab.client.get(names.NAD, "nad-a", NAMESPACE)
        again = {**nad, "metadata": {"name": "nad-d", "namespace": NAMESPACE}}
        with pytest.raises(ApiError, match=f"exceeded quota: q, requested: {key}=1, used: {key}=3, limited: {key}=3"):
            await lab.client.create(names.NAD, again)
