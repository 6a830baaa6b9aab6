# SPDX-License-Identifier: Apache-2.0
"""Optimistic updates: read, change, PUT, and retry on conflict."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..kube.client import Client, Obj
from ..kube.copies import clone
from ..kube.errors import ApiError
from .node_clients import NodeClients

Mutation = Callable[[Obj], None]
PASSING = (429, 500, 502, 503, 504)
ATTEMPTS = 50
PAUSE = 0.2


async def update_with_retry(
    client: Client | NodeClients,
    resource: str,
    obj: Obj,
    mutate: Mutation,
    *,
    subresource: str = "",
) -> Obj | None:
    """Applies ``mutate`` to the object and stores it; writes nothing if ``mutate`` changed nothing.

    With :class:`NodeClients` a VMI is written by the client of its node. ``obj`` may be stale: on a conflict the object
    is read again and ``mutate`` runs on the new one. Errors of an
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
            writer = client.of_vmi(fresh) if isinstance(client, NodeClients) else client
            return await writer.replace(resource, wanted, subresource=subresource)
        except ApiError as error:
            if error.code == 404:
                return None
            if error.code != 409 and (error.code not in PASSING or attempt >= ATTEMPTS):
                raise
            if error.code != 409:
                await asyncio.sleep(PAUSE)
        try:
            current = await _read(client, resource, meta)
        except ApiError as error:
            if error.code not in PASSING or attempt >= ATTEMPTS:
                raise
            continue
        if current is None or current["metadata"]["uid"] != meta["uid"]:
            return None
        fresh = current


async def _read(client: Client | NodeClients, resource: str, meta: Obj) -> Obj | None:
    """The object as it is now; None if it is gone. virt-handler may list VMIs, and not get one."""
    if isinstance(client, NodeClients):
        found, _ = await client.default.list(resource, meta.get("namespace"), fields=f"metadata.name={meta['name']}")
        return found[0] if found else None
    try:
        return await client.get(resource, meta["name"], meta.get("namespace"))
    except ApiError as error:
        if error.code == 404:
            return None
        raise
