# SPDX-License-Identifier: Apache-2.0
"""The server's core, without transport: reads, and access to registry, store and admission.

``local_client`` and the HTTP handlers use it.
"""

from __future__ import annotations

from .admission import Admission
from .objects import Obj
from .registry import Registry, Resource
from .selectors import Predicate, compile_selectors
from .status_errors import expired, internal, not_found
from .store import Item, Store
from .watch_subscription import Subscription


class ApiCore:
    """Resources, their store and their admission. One event loop owns it; nothing here is thread-safe."""

    def __init__(self, registry: Registry, *, store: Store | None = None) -> None:
        self.registry = registry
        self.store = store or Store()
        self.admission = Admission()

    def resource(self, key: str) -> Resource:
        """The resource of an RBAC name; KeyError for a name that nothing serves (a programming error)."""
        return self.registry.get(key)

    def find(self, resource: Resource, namespace: str, name: str) -> Item | None:
        return self.store.get(resource.store_key, (namespace if resource.namespaced else "", name))

    def get(self, resource: Resource, namespace: str, name: str) -> Item:
        """One object; ApiError 404."""
        item = self.find(resource, namespace, name)
        if item is None:
            raise not_found(resource, name)
        return item

    def items(self, resource: Resource, namespace: str = "", matches: Predicate | None = None) -> list[Item]:
        """The objects as they are now, sorted by namespace and name."""
        found = self.store.bucket(resource.store_key).sorted_items(namespace)
        return found if matches is None else [item for item in found if matches(item.obj)]

    def items_at(self, resource: Resource, rv: int, namespace: str, matches: Predicate | None) -> list[Item]:
        """The objects as they were at a revision; ApiError 410 when that is too long ago."""
        state = self.store.bucket(resource.store_key).at(rv)
        if state is None:
            raise expired()
        found = [state[key] for key in sorted(state) if not namespace or key[0] == namespace]
        return found if matches is None else [item for item in found if matches(item.obj)]

    def subscribe(
        self, resource: Resource, namespace: str = "", matches: Predicate | None = None, name: str = ""
    ) -> Subscription:
        """A watch that is not yet started."""
        bucket = self.store.bucket(resource.store_key)
        return Subscription(self.store, bucket, namespace=namespace, matches=matches, name=name)

    def selector(self, resource: Resource, labels: str, fields: str) -> Predicate | None:
        return compile_selectors(resource, labels, fields)

    def shown(self, resource: Resource, obj: Obj, version: str = "") -> Obj:
        """A stored object in the shape of the served resource; may share parts with the store."""
        if resource.from_stored is not None:
            return resource.from_stored(obj)
        if version in resource.conversions:
            return resource.conversions[version].from_stored(obj)
        wanted = resource.api_version(version or None)
        if obj.get("apiVersion") == wanted:
            return obj
        return {**obj, "apiVersion": wanted}


def parse_version(text: str) -> int:
    """The resourceVersion of a watch as a number, 0 for none; ApiError 500 for anything else, as on a real server."""
    if not text:
        return 0
    if text.isdigit():
        return int(text)
    message = f'strconv.ParseUint: parsing "{text}": invalid syntax'
    raise internal(f'resourceVersion: Invalid value: "{text}": {message}')
