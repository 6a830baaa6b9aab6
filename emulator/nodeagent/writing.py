"""Optimistic writes: read, change, PUT, and again when somebody else was faster."""

from __future__ import annotations

import copy
from collections.abc import Callable

from ..kube.client import Client, Obj
from ..kube.errors import ApiError

Mutation = Callable[[Obj], None]


async def change(
    client: Client,
    resource: str,
    obj: Obj,
    mutate: Mutation,
    *,
    subresource: str = "",
) -> Obj | None:
    """Applies ``mutate`` to the object and stores it; writes nothing when ``mutate`` changed nothing.

    ``obj`` may be stale: on a conflict the object is read again and ``mutate`` runs on the fresh one. Answers the
    object as stored, or None when it is gone or another one has its name by now.
    """
    meta = obj["metadata"]
    fresh = obj
    while True:
        wanted = copy.deepcopy(fresh)
        mutate(wanted)
        if wanted == fresh:
            return fresh
        try:
            return await client.replace(resource, wanted, subresource=subresource)
        except ApiError as error:
            if error.code == 404:
                return None
            if error.code != 409:
                raise
        try:
            fresh = await client.get(resource, meta["name"], meta.get("namespace"))
        except ApiError as error:
            if error.code == 404:
                return None
            raise
        if fresh["metadata"]["uid"] != meta["uid"]:
            return None
