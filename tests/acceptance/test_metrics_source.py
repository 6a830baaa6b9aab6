# SPDX-License-Identifier: Apache-2.0
"""Where the libraries find the metrics of an embedded cluster, by itself: as on a real one of its platform."""

from __future__ import annotations

from pathlib import Path

import pytest
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.metrics.sources import Given, find_source

from tests.embedded import embedded_cluster


@pytest.mark.parametrize(
    ("platform", "namespace", "title"),
    [
        ("kubernetes", "kubevirt", "Prometheus monitoring/prometheus-k8s:9090"),
        ("openshift", "openshift-cnv", "Thanos at https://127.0.0.1:"),
    ],
)
def test_source_of_the_platform_is_found(tmp_path: Path, platform: str, namespace: str, title: str) -> None:
    with embedded_cluster(tmp_path, "--platform", platform) as kubeconfig:
        cluster = Cluster(open_connection(str(kubeconfig)))
        source, _ = find_source(cluster, namespace)
        other, reasons = find_source(cluster, namespace, Given("http://127.0.0.1:9/"))
        cluster.close()
    assert source is not None
    assert source.title.startswith(title)
    assert other is not None
    assert "MONITORING_URL" in reasons[0]
