# SPDX-License-Identifier: Apache-2.0
"""Admission: ordered callables that may change or refuse a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from .objects import Obj
from .users import UserInfo


@dataclass
class AdmissionRequest:
    """What a hook sees. A mutating hook changes ``new`` in place; any hook may raise ``ApiError``.

    ``operation`` is CREATE, UPDATE, DELETE or CONNECT, ``resource`` an RBAC name: ``virtualmachines.kubevirt.io``.
    ``options`` are those of an HTTP request, empty for a client in this process.
    ``new`` is None on DELETE, ``old`` None on CREATE. ``old`` is shared with the store: never change it.
    """

    operation: str
    resource: str
    subresource: str
    namespace: str
    name: str
    user: UserInfo
    old: Obj | None
    new: Obj | None
    dry_run: bool = False
    options: Obj = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Adds a ``Warning: 299`` header to the answer."""
        self.warnings.append(text)


Hook = Callable[[AdmissionRequest], Awaitable[None]]


class Admission:
    """Hooks by resource, operation and subresource; mutating ones run first, each kind in order of registration."""

    def __init__(self) -> None:
        self._mutating: dict[tuple[str, str, str], list[Hook]] = {}
        self._validating: dict[tuple[str, str, str], list[Hook]] = {}
        self._last: dict[tuple[str, str, str], list[Hook]] = {}

    def mutating(self, resource: str, operations: Iterable[str], hook: Hook, *, subresource: str = "") -> None:
        for operation in operations:
            self._mutating.setdefault((resource, operation, subresource), []).append(hook)

    def validating(self, resource: str, operations: Iterable[str], hook: Hook, *, subresource: str = "") -> None:
        """``resource`` may be ``*``: the hook then runs for every resource, before those registered by name."""
        for operation in operations:
            self._validating.setdefault((resource, operation, subresource), []).append(hook)

    def last(self, operations: Iterable[str], hook: Hook) -> None:
        """Runs for every resource, after all other hooks have let the request pass."""
        for operation in operations:
            self._last.setdefault(("*", operation, ""), []).append(hook)

    async def mutate(self, request: AdmissionRequest) -> None:
        await self._run(self._mutating, request)

    async def validate(self, request: AdmissionRequest) -> None:
        await self._run(self._validating, request)
        await self._run(self._last, request)

    @staticmethod
    async def _run(hooks: dict[tuple[str, str, str], list[Hook]], request: AdmissionRequest) -> None:
        for resource in ("*", request.resource):
            for hook in hooks.get((resource, request.operation, request.subresource), ()):
                await hook(request)
