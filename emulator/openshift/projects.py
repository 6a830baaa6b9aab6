# SPDX-License-Identifier: Apache-2.0
"""Projects: namespaces as users of OpenShift see them, and project requests of users who may not create namespaces."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from emulator.apiserver import deletion, read_handlers, watch_handler
from emulator.apiserver.admission import AdmissionRequest
from emulator.apiserver.bodies import decode_object_body, read_body
from emulator.apiserver.columns import AGE, NAME
from emulator.apiserver.http_call import HttpCall
from emulator.apiserver.rbac import Attributes
from emulator.apiserver.registry import Column, Resource
from emulator.apiserver.request_context import Call, DeleteOptions, Target
from emulator.apiserver.responses import answer_json
from emulator.apiserver.reviews import method_not_allowed
from emulator.apiserver.write_handlers import content_type
from emulator.controlplane.profile import Profile
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.platforms.addon import Addon, AddonContext
from emulator.platforms.platform import Platform

from .objects import made
from .users import RBAC, USER_ROLES, grant_all

GROUP = "project.openshift.io"
NAMESPACES = "namespaces"
NOT_ALLOWED = "You may not request a new project via this API."
FIRST_UID = 1_000_700_000
UIDS = 10_000


def as_project(namespace: Obj) -> Obj:
    """A namespace in the shape of a project; shares its parts with the store."""
    spec = {"finalizers": (namespace.get("spec") or {}).get("finalizers", [])}
    status = {"phase": (namespace.get("status") or {}).get("phase", "Active")}
    head = {"kind": "Project", "apiVersion": f"{GROUP}/v1", "metadata": namespace["metadata"]}
    return {**head, "spec": spec, "status": status}


PROJECTS = Resource(
    "projects",
    "Project",
    GROUP,
    namespaced=False,
    verbs=("create", "delete", "get", "list", "watch"),
    shares=NAMESPACES,
    from_stored=as_project,
    columns=(
        NAME,
        Column("Display Name", lambda obj: (obj["metadata"].get("annotations") or {}).get("openshift.io/display-name")),
        Column("Status", ".status.phase"),
        AGE,
    ),
)
REQUESTS = Resource("projectrequests", "ProjectRequest", GROUP, namespaced=False, verbs=("create", "list"))


class Projects(Addon):
    """``project.openshift.io``, and the roles of users who are not administrators."""

    def resources(self, platform: Platform, profile: Profile) -> Iterable[Resource]:
        return (PROJECTS, REQUESTS)

    def register(self, context: AddonContext) -> None:
        handlers = ProjectHandlers(context)
        context.server.handle(GROUP, "projects", "", handlers.projects)
        context.server.handle(GROUP, "projectrequests", "", handlers.requests)
        context.server.deny_with(GROUP, "projectrequests", "create", NOT_ALLOWED)
        context.core.admission.mutating(NAMESPACES, ("CREATE",), Ranges().annotate)

    async def install(self, context: AddonContext) -> None:
        await grant_all(context, USER_ROLES)


class Ranges:
    """The ranges of user ids and labels that each new namespace gets."""

    def __init__(self) -> None:
        self._number = 0

    async def annotate(self, request: AdmissionRequest) -> None:
        if request.new is None:
            return
        block = f"{FIRST_UID + self._number * UIDS}/{UIDS}"
        low, high = self._number % 500, self._number % 500 + 500
        self._number += 1
        own = {
            "openshift.io/sa.scc.mcs": f"s0:c{high},c{low}",
            "openshift.io/sa.scc.supplemental-groups": block,
            "openshift.io/sa.scc.uid-range": block,
        }
        meta = request.new["metadata"]
        meta["annotations"] = {**own, **(meta.get("annotations") or {})}


class ProjectHandlers:
    """The handlers of the group's paths."""

    def __init__(self, context: AddonContext) -> None:
        self._context = context

    async def projects(self, http: HttpCall) -> web.StreamResponse:
        verb = http.info.verb
        if verb in ("list", "watch"):
            http.visible = lambda obj: self._may_see(http, obj["metadata"]["name"])
            show = read_handlers.list_objects if verb == "list" else watch_handler.watch_objects
            return await show(http, PROJECTS)
        if verb == "get" and http.request.method == "GET":
            return await read_handlers.get_object(http, PROJECTS)
        if verb == "delete":
            await read_body(http.request)
            call = Call(user=http.user, options={"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"})
            target = Target(self._context.core.resource(NAMESPACES), "", http.info.name)
            await deletion.delete(self._context.core, call, target, DeleteOptions(propagation="Background"))
            return answer_json(http, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})
        raise method_not_allowed()

    def _may_see(self, http: HttpCall, name: str) -> bool:
        return self._allowed(http, Attributes("get", "", NAMESPACES, name, name))

    def _allowed(self, http: HttpCall, asked: Attributes) -> bool:
        return self._context.server.authorizer.decide(http.user, asked).allowed

    async def requests(self, http: HttpCall) -> web.StreamResponse:
        if http.info.verb == "list":
            if not self._allowed(http, Attributes("create", GROUP, "projectrequests")):
                raise ApiError(403, "Forbidden", NOT_ALLOWED, {})
            return answer_json(http, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"})
        if http.info.verb != "create":
            raise method_not_allowed()
        call = http.writing("CreateOptions")
        body = decode_object_body(await read_body(http.request), content_type(http.request), REQUESTS, call)
        name = body["metadata"].get("name", "")
        if self._context.core.find(self._context.core.resource(NAMESPACES), "", name) is not None:
            told = {"name": name, "group": GROUP, "kind": "project"}
            raise ApiError(409, "AlreadyExists", f'project.{GROUP} "{name}" already exists', told)
        namespace = new_namespace(body, http.user.name)
        if call.dry_run:
            return answer_json(http, as_project(namespace), 201)
        client = self._context.client("openshift-apiserver", "openshift-apiserver-sa")
        made_namespace = await client.create(NAMESPACES, namespace)
        await client.create(f"rolebindings.{RBAC}", admin_binding(name, http.user.name))
        return answer_json(http, as_project(made_namespace), 201)


def new_namespace(request: Obj, user: str) -> Obj:
    """The namespace for a ProjectRequest; labels of the request are ignored."""
    namespace = made("v1", "Namespace", request["metadata"].get("name", ""))
    namespace["metadata"]["labels"] = {
        f"pod-security.kubernetes.io/{mode}{more}": value
        for mode in ("audit", "warn")
        for more, value in (("", "restricted"), ("-version", "latest"))
    }
    namespace["metadata"]["annotations"] = {
        "openshift.io/description": request.get("description", ""),
        "openshift.io/display-name": request.get("displayName", ""),
        "openshift.io/requester": user,
    }
    return namespace


def admin_binding(namespace: str, user: str) -> Obj:
    return made(f"{RBAC}/v1", "RoleBinding", "admin", namespace=namespace) | {
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }
