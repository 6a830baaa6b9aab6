"""Optimistic updates: read, change, PUT, and retry on conflict."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..kube.client import Client, Obj
from ..kube.copies import clone
from ..kube.errors import ApiError

Mutation = Callable[[Obj], None]
PASSING = (429, 500, 502, 503, 504)
ATTEMPTS = 50
PAUSE = 0.2


async def update_with_retry(
    client: Client,
    resource: str,
    obj: Obj,
    mutate: Mutation,
    *,
    subresource: str = "",
) -> Obj | None:
    """Applies ``mutate`` to the object and stores it; writes nothing if ``mutate`` changed nothing.

    ``obj`` may be stale: on a conflict the object is read again and ``mutate`` runs on the new one. Errors of an
    overloaded or failing API server are retried for ten seconds at most. Returns the stored object, or None if it is
    gone or was replaced by another one with its name.
    """
    meta = obj["metadata"]
    fresh = obj
    attempt = 0
    while True:
        attempt += 1
        wanted = clone(fresh)
        mutate(wanted)
        if wanted == fresh:
            return fresh
        try:
            return await client.replace(resource, wanted, subresource=subresource)
        except ApiError as error:
            if error.code == 404:
                return None
            if error.code != 409 and (error.code not in PASSING or attempt >= ATTEMPTS):
                raise
            if error.code != 409:
                await asyncio.sleep(PAUSE)
        try:
            fresh = await client.get(resource, meta["name"], meta.get("namespace"))
        except ApiError as error:
            if error.code == 404:
                return None
            if error.code not in PASSING or attempt >= ATTEMPTS:
                raise
            continue
        if fresh["metadata"]["uid"] != meta["uid"]:
            return None
