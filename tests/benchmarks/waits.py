# SPDX-License-Identifier: Apache-2.0
"""b. From the API server's commit of a state to the return of the wait for it.

All three wait for the same events in parallel. Each event occurs at a random moment 2 to 3 seconds after the waits
began. The clock starts when the write is sent, so all figures include the write.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import POD, Object

from tests.benchmarks.figures import Figure, Ratio, figure, ratio
from tests.benchmarks.lab import Lab
from tests.benchmarks.waiters import Keyword, Kubectl, Waiter, Wrapper

CONDITION = "Benchmarked"
SEED = 140


def measure(lab: Lab) -> tuple[list[Figure], list[Ratio]]:
    """Latencies of the three."""
    with lab.cluster() as kubeconfig:
        keyword = Keyword(lab, kubeconfig)
        waiters: dict[str, Waiter] = {
            "keyword of these libraries": keyword,
            "openshift-python-wrapper, wait_for_condition": Wrapper(kubeconfig, keyword.namespace),
            "kubectl wait": Kubectl(kubeconfig, keyword.namespace),
        }
        try:
            latencies = _measure(kubeconfig, keyword.namespace, waiters, lab.count(100))
        finally:
            for waiter in waiters.values():
                waiter.close()
    ours, wrapper, kubectl = figures = [figure("b", name, "ms", seconds) for name, seconds in latencies.items()]
    return figures, [
        ratio("wait: openshift-python-wrapper to ours", wrapper, ours, better="higher"),
        ratio("wait: kubectl to ours", kubectl, ours, better="higher"),
    ]


def _measure(kubeconfig: Path, namespace: str, waiters: dict[str, Waiter], count: int) -> dict[str, list[float]]:
    cluster = Cluster(open_connection(str(kubeconfig), ""))
    moments = random.Random(SEED)  # noqa: S311 - nothing secret
    latencies: dict[str, list[float]] = {name: [] for name in waiters}
    for number in range(count):
        pod = f"waited-for-{number}"
        cluster.request("POST", POD.path(namespace), body=_pod(pod, namespace))
        for waiter in waiters.values():
            waiter.begin(pod, CONDITION)
        time.sleep(2 + moments.random())
        sent = time.monotonic()
        _set_condition(cluster, namespace, pod)
        for name, waiter in waiters.items():
            latencies[name].append((waiter.returned() - sent) * 1000)
        cluster.delete(POD, pod, namespace)
    cluster.close()
    return latencies


def _set_condition(cluster: Cluster, namespace: str, pod: str) -> None:
    cluster.request(
        "PATCH",
        f"{POD.path(namespace, pod)}/status",
        body={"status": {"conditions": [{"type": CONDITION, "status": "True"}]}},
        content_type="application/strategic-merge-patch+json",
    )


def _pod(name: str, namespace: str) -> Object:
    """A pod that no scheduler takes: only the benchmark writes its status."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"schedulerName": "none", "containers": [{"name": "none", "image": "none"}]},
    }
