# SPDX-License-Identifier: Apache-2.0
"""One HTTP request in the server, and its query parameters."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from .content_negotiation import Accepted
from .core import ApiCore
from .objects import Obj
from .registry import Resource
from .request_context import Call, Target
from .requests import RequestInfo
from .selectors import Predicate
from .status_errors import Cause, bad_request, cause, invalid, invalid_value
from .users import UserInfo

TRUE = ("1", "true", "True", "TRUE", "t", "T")
META = "meta.k8s.io"
PROPAGATION = ("Foreground", "Background", "Orphan")


@dataclass
class HttpCall:
    """A request that has been authenticated and authorised. Handlers of subresources get this.

    ``parts`` of ``info`` are the path's segments after the subresource; ``visible`` narrows what a list or watch shows.
    """

    request: web.Request
    info: RequestInfo
    user: UserInfo
    core: ApiCore
    accepted: Accepted = field(default_factory=Accepted)
    warnings: list[str] = field(default_factory=list)
    visible: Predicate | None = None

    def selector(self, resource: Resource) -> Predicate | None:
        """What a list or a watch is restricted to, by the query and by ``visible``."""
        query, seen = self.request.query, self.visible
        matches = self.core.selector(resource, query.get("labelSelector", ""), query.get("fieldSelector", ""))
        if matches is None or seen is None:
            return matches or seen
        asked = matches
        return lambda obj: asked(obj) and seen(obj)

    def target(self, resource: Resource) -> Target:
        info = self.info
        return Target(resource, info.namespace if resource.namespaced else "", info.name, info.subresource)

    def integer(self, name: str) -> int | None:
        """A number from the query; ApiError 400 for anything else."""
        text = self.request.query.get(name, "")
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None

    def flag(self, name: str) -> bool:
        return self.request.query.get(name, "") in TRUE

    def writing(self, options: str) -> Call:
        """The options of a write; ``options`` is their kind: CreateOptions, UpdateOptions or PatchOptions."""
        query = self.request.query
        dry_run = query.getall("dryRun", [])
        validation = query.get("fieldValidation", "")
        causes: list[Cause] = dry_run_causes(dry_run)
        if validation not in ("", "Ignore", "Strict", "Warn"):
            causes.append(unsupported("fieldValidation", f'"{validation}"', ("", "Ignore", "Strict", "Warn")))
        if causes:
            raise invalid(options, META, "", causes)
        return Call(
            user=self.user,
            manager=query.get("fieldManager", "") or default_manager(self.request),
            dry_run=bool(dry_run),
            validation=validation or "Warn",
            version=self.info.version,
            options={"kind": options, "apiVersion": f"{META}/v1"},
            warnings=self.warnings,
        )


def dry_run_causes(values: list[str]) -> list[Cause]:
    bad = [value for value in values if value != "All"]
    if not bad:
        return []
    shown = ",".join(f'"{value}"' for value in bad)
    return [unsupported("dryRun", f"[{shown}]", ("All",))]


def unsupported(name: str, value: str, supported: tuple[str, ...]) -> Cause:
    shown = ", ".join(f'"{choice}"' for choice in supported)
    return cause(name, "FieldValueNotSupported", f"Unsupported value: {value}: supported values: {shown}")


def default_manager(request: web.Request) -> str:
    """The field manager of a client that names none: the first part of its user agent."""
    return request.headers.get("User-Agent", "").partition("/")[0][:128] or "unknown"


def delete_causes(body: Obj, propagation: str) -> list[Cause]:
    """What is wrong with delete options."""
    found = dry_run_causes(body.get("dryRun") or [])
    if propagation and propagation not in PROPAGATION:
        found.append(unsupported("propagationPolicy", f'"{propagation}"', (*PROPAGATION, "nil")))
    if propagation and body.get("orphanDependents") is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        found.append(invalid_value("propagationPolicy", f'"{propagation}"', why))
    return found
