# SPDX-License-Identifier: Apache-2.0
"""A listener: when the edit is about to be made, a quota leaves room for the pods that run and for none besides."""

from __future__ import annotations

from typing import Any

from KubeVirtLibrary.base import SESSION
from livenad.api.kinds import POD, Kind

ROBOT_LISTENER_API_VERSION = 3
QUOTA = Kind("v1", "resourcequotas", "ResourceQuota")


def start_library_keyword(data: Any, implementation: Any, result: Any) -> None:
    if implementation.name == "Change VM Network" and SESSION.run is not None:
        namespace, cluster = SESSION.run.require_suite().namespace.name, SESSION.run.cluster
        hard = {"pods": str(len(cluster.list(POD, namespace).items))}
        cluster.create(QUOTA, {"metadata": {"name": "compute", "namespace": namespace}, "spec": {"hard": hard}})
