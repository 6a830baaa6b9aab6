# SPDX-License-Identifier: Apache-2.0
"""OpenShift's monitoring: two Prometheus replicas behind Thanos Querier, which a Route exposes.

The Route's host is an address of this machine with its port, because no DNS resolves names of an embedded cluster.
"""

from __future__ import annotations

import ssl
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from emulator.apiserver.http_call import HttpCall
from emulator.apiserver.rbac import Attributes, Authorizer
from emulator.apiserver.tokens import Tokens, bearer_token
from emulator.controlplane.context import Shared
from emulator.controlplane.metrics.monitoring import ensure, service, stack_object
from emulator.controlplane.metrics.prometheus import Prometheus, answer, deduplicated
from emulator.kube.client import Client
from emulator.kube.errors import ApiError

NAMESPACE = "openshift-monitoring"
MANAGED = "openshift-config-managed"
NAME = "thanos-querier"
ROUTES = "routes.route.openshift.io"
VIEW = "cluster-monitoring-view"
INTERVAL = 30.0
NOT_SERVED = "<html><body><h1>Application is not available</h1></body></html>"


@dataclass(frozen=True)
class Router:
    """How Routes are served: ``tls`` None for plain HTTP, ``ca`` the PEM text of the authority to trust."""

    tls: ssl.SSLContext | None = None
    ca: str = ""


class OpenShiftMonitoring:
    """Monitoring as OpenShift's own operator installs it."""

    def __init__(self, shared: Shared, tokens: Tokens, authorizer: Authorizer, router: Router | None = None) -> None:
        self._tokens = tokens
        self._authorizer = authorizer
        self._router = router or Router()
        external = {"prometheus": f"{NAMESPACE}/k8s"}
        self._replicas = [Prometheus(shared, INTERVAL, offset, external) for offset in (0.0, INTERVAL / 2)]
        self._runner: web.AppRunner | None = None
        self.host = ""

    async def install(self, client: Client) -> None:
        """Listens, and creates the objects that refer to the listener."""
        await self._listen()
        for namespace in (NAMESPACE, MANAGED):
            await ensure(client, "namespaces", stack_object("v1", "Namespace", namespace))
        await ensure(client, "services", service(NAME, NAMESPACE, "web", 9091))
        bundle = stack_object(
            "v1", "ConfigMap", "default-ingress-cert", MANAGED, data={"ca-bundle.crt": self._router.ca}
        )
        await ensure(client, "configmaps", bundle)
        await self._grant(client)
        spec = {
            "host": self.host,
            "path": "/api",
            "port": {"targetPort": "web"},
            "tls": {"insecureEdgeTerminationPolicy": "Redirect", "termination": "reencrypt"},
            "to": {"kind": "Service", "name": NAME, "weight": 100},
            "wildcardPolicy": "None",
        }
        await ensure(client, ROUTES, stack_object("route.openshift.io/v1", "Route", NAME, NAMESPACE, spec=spec))
        admitted = {"type": "Admitted", "status": "True"}
        ingress = {"host": self.host, "routerName": "default", "wildcardPolicy": "None", "conditions": [admitted]}
        await client.patch(ROUTES, NAME, NAMESPACE, {"status": {"ingress": [ingress]}}, subresource="status")

    def controllers(self) -> list[Coroutine[Any, Any, None]]:
        return [replica.run() for replica in self._replicas]

    async def through_service(self, call: HttpCall, name: str, port: str) -> web.StreamResponse | None:
        """The API server removes the token before it forwards a request, so Thanos refuses it as unauthenticated."""
        if (call.info.namespace, name) != (NAMESPACE, NAME):
            return None
        return _text(401, "Unauthorized\n")

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _listen(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._router.tls).start()
        self.host = "{}:{}".format(*self._runner.addresses[0])

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path.split("/")[0] != "api":
            return web.Response(status=503, text=NOT_SERVED, content_type="text/html")
        token = bearer_token(request)
        try:
            user = self._tokens.find(token) if token else None
        except (ApiError, ValueError):
            user = None
        if user is None:
            return _text(401, "Unauthorized\n")
        verb = "create" if request.method == "POST" else "get"
        asked = Attributes(verb, "monitoring.coreos.com", "prometheuses/api", "k8s", NAMESPACE)
        if not self._authorizer.decide(user, asked).allowed:
            who = f"user={user.name}, verb={verb}, resource=prometheuses, subresource=api"
            return _text(403, f"Forbidden ({who})\n")
        return await answer(request, path, deduplicated(self._replicas))

    @staticmethod
    async def _grant(client: Client) -> None:
        """Creates the roles of those who may query Thanos; every user may read the router's authority."""
        rbac = "rbac.authorization.k8s.io"
        rules = [
            {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
            {
                "apiGroups": ["monitoring.coreos.com"],
                "resources": ["prometheuses/api"],
                "resourceNames": ["k8s"],
                "verbs": ["get", "create", "update"],
            },
        ]
        await ensure(client, f"clusterroles.{rbac}", stack_object(f"{rbac}/v1", "ClusterRole", VIEW, rules=rules))
        read = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"]}]
        name = "console-configmap-reader"
        await ensure(client, f"roles.{rbac}", stack_object(f"{rbac}/v1", "Role", name, MANAGED, rules=read))
        binding = stack_object(
            f"{rbac}/v1",
            "RoleBinding",
            name,
            MANAGED,
            roleRef={"apiGroup": rbac, "kind": "Role", "name": name},
            subjects=[{"apiGroup": rbac, "kind": "Group", "name": "system:authenticated"}],
        )
        await ensure(client, f"rolebindings.{rbac}", binding)


def _text(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/plain")
