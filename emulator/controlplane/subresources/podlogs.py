# SPDX-License-Identifier: Apache-2.0
"""``pods/log``: container logs, read from the kubelet of the pod's node."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.apiserver.status_errors import bad_request
from emulator.controlplane import names
from emulator.controlplane.accessors import Obj
from emulator.controlplane.context import Shared
from emulator.controlplane.subresources.responses import Refusal
from emulator.controlplane.subresources.virthandler import Unreachable, VirtHandlers
from emulator.kube.errors import ApiError

PASSED_ON = ("tailLines", "timestamps")


class PodLogs:
    """Only launchers write logs here. A stream with ``follow`` ends after the last existing line."""

    def __init__(self, shared: Shared, handlers: VirtHandlers) -> None:
        self._client = shared.client_for(shared.platform.service_account(names.API_USER))
        self._handlers = handlers

    async def answer(self, call: HttpCall) -> web.StreamResponse:
        """ApiError 404 for an unknown pod, 400 for a container that does not exist or has not started.

        Empty (204) for a pod that is not yet assigned to a node.
        """
        info, query = call.info, call.request.query
        pod = await self._client.get(names.PODS, info.name, info.namespace)
        container = _container(pod, query.get("container", ""))
        call.integer("tailLines")
        if not pod["spec"].get("nodeName"):
            return web.Response(status=204)
        state = _state(pod, container)
        if state is None or "waiting" in state:
            reason = ((state or {}).get("waiting") or {}).get("reason", "")
            tail = f": {reason}" if reason else ""
            raise bad_request(f'container "{container}" in pod "{info.name}" is waiting to start{tail}')
        if call.flag("previous"):
            raise bad_request(f'previous terminated container "{container}" in pod "{info.name}" not found')
        options = urlencode({key: query[key] for key in PASSED_ON if key in query})
        path = f"/containerLogs/{quote(info.namespace)}/{quote(info.name)}/{quote(container)}?{options}"
        try:
            status, body = await self._handlers.kubelet_request("GET", pod["spec"]["nodeName"], path)
        except (Refusal, Unreachable) as error:
            said = f"Get {path}: {error}"
            raise ApiError(500, "InternalError", f"Internal error occurred: {said}") from None
        return web.Response(status=status, body=body, content_type="text/plain")


def _container(pod: Obj, wished: str) -> str:
    name = pod["metadata"]["name"]
    spec = pod["spec"]
    containers = [container["name"] for container in spec["containers"]]
    every = [*containers, *(container["name"] for container in spec.get("initContainers") or [])]
    if wished and wished not in every:
        raise bad_request(f"container {wished} is not valid for pod {name}")
    if not wished and len(containers) > 1:
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(containers)}]")
    return wished or str(containers[0])


def _state(pod: Obj, container: str) -> Obj | None:
    status = pod.get("status") or {}
    for found in [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]:
        if found["name"] == container:
            return dict(found["state"])
    return None
