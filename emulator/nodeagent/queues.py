# SPDX-License-Identifier: Apache-2.0
"""The work queues of the node agent's components."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ..dataplane.errors import DataPlaneError
from ..kube.errors import ApiError
from ..kube.informer import Key
from ..kube.workqueue import WorkQueue

FIRST_RETRY = 0.05
LAST_RETRY = 2.0


def node_queue(name: str, sync: Callable[[Key], Awaitable[None]]) -> WorkQueue:
    """A started queue that syncs different keys in parallel, as kubelets and virt-handlers of several nodes do."""
    queue = WorkQueue(
        name,
        sync,
        workers=None,
        first_retry=FIRST_RETRY,
        last_retry=LAST_RETRY,
        expected=(ApiError, DataPlaneError),
    )
    queue.start()
    return queue
