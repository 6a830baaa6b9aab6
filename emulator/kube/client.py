# SPDX-License-Identifier: Apache-2.0
"""The client interface that controllers and the node agent are written against.

Two implementations exist: one inside the API server's process (``emulator.apiserver.local_client``) and one over HTTPS
(``emulator.kube.http``). A resource is named as RBAC names it: ``pods``, ``virtualmachines.kubevirt.io``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol

Obj = dict[str, Any]
JsonPatch = Sequence[dict[str, Any]]


class Client(Protocol):
    """Every call raises ``ApiError`` when the API refuses it. Objects are plain JSON and belong to the caller."""

    async def get(self, resource: str, name: str, namespace: str | None = None) -> Obj:
        """One object; ApiError 404 if it does not exist."""
        ...

    async def list(
        self, resource: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> tuple[list[Obj], str]:
        """The objects, each with kind and apiVersion, and the list's resourceVersion."""
        ...

    async def create(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        """Creates in ``metadata.namespace``; answers the object as stored."""
        ...

    async def replace(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        """PUT; ApiError 409 when ``metadata.resourceVersion`` is stale."""
        ...

    async def patch(
        self,
        resource: str,
        name: str,
        namespace: str | None,
        patch: JsonPatch | Obj,
        *,
        subresource: str = "",
    ) -> Obj:
        """A list is a JSON patch, an object a merge patch."""
        ...

    async def delete(
        self,
        resource: str,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        grace: int | None = None,
        propagation: str | None = None,
    ) -> None:
        """Deletes; ApiError 404 if it does not exist, 409 if the uid differs."""
        ...

    def watch(
        self,
        resource: str,
        namespace: str | None = None,
        *,
        since: str,
        labels: str = "",
        fields: str = "",
    ) -> AsyncIterator[tuple[str, Obj]]:
        """ADDED, MODIFIED and DELETED events after resourceVersion ``since``, until the connection ends.

        Bookmarks are consumed inside. Raises ApiError 410 when ``since`` is too old.
        """
        ...
