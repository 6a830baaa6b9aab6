# SPDX-License-Identifier: Apache-2.0
"""Resources declared as data. Nothing else in this package names a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .objects import Obj

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Column:
    """One printer column: ``value`` is a JSONPath such as ``.status.phase`` or a function of the object.

    ``priority`` 0 is always shown, 1 only by ``kubectl get -o wide``.
    """

    name: str
    value: str | Callable[[Obj], Any]
    type: str = "string"
    priority: int = 0
    description: str = ""
    format: str = ""


@dataclass(frozen=True)
class Hooks:
    """What a kind does beyond generic metadata. Every function is optional.

    ``defaults(obj)`` completes an object in place; ``prepare_create(obj)`` and ``prepare_update(new, old)`` set what
    only the server may set; ``validate(new, old)`` answers causes (see ``status_errors.cause``), old None on create.
    """

    defaults: Callable[[Obj], None] | None = None
    prepare_create: Callable[[Obj], None] | None = None
    prepare_update: Callable[[Obj, Obj], None] | None = None
    validate: Callable[[Obj, Obj | None], list[dict[str, str]]] | None = None


@dataclass(frozen=True)
class Conversion:
    """How one version of a resource is turned into the stored shape and back; neither changes what it is given."""

    to_stored: Callable[[Obj], Obj]
    from_stored: Callable[[Obj], Obj]


@dataclass(frozen=True)
class Resource:
    """One resource of the API.

    ``custom`` marks a CRD's resource: alphabetical keys, stricter updates, no strategic merge. ``status`` tells whether
    there is a status subresource, ``status_on_create`` whether a new object keeps the status that it came with all the
    same. ``generation`` tells whether metadata.generation counts changes of the spec, except for the fields
    ``uncounted``; ``graceful`` whether a delete
    waits for a node. ``selectable`` are the field paths that a field selector may use besides name and namespace.
    ``schema`` is an OpenAPI v3 schema of the whole object; with one, unknown fields are pruned and types checked.
    ``shares`` names the resource in whose store the objects lie, with ``to_stored`` and ``from_stored`` between the two
    shapes. ``deprecated`` are the versions that answers warn of, in
    the words of ``deprecation``. ``conversions`` are those of versions with another
    shape than the stored, first one. ``subresources`` are further subresources for discovery: name -> (kind, verbs).
    """

    plural: str
    kind: str
    group: str = ""
    versions: tuple[str, ...] = ("v1",)
    namespaced: bool = True
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    custom: bool = False
    status: bool = False
    status_on_create: bool = False
    generation: bool = False
    columns: tuple[Column, ...] = ()
    selectable: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    hooks: Hooks = field(default_factory=Hooks)
    uncounted: tuple[str, ...] = ()
    graceful: bool = False
    shares: str = ""
    to_stored: Callable[[Obj], Obj] | None = None
    from_stored: Callable[[Obj], Obj] | None = None
    deprecated: tuple[str, ...] = ()
    deprecation: str = "{api} is now deprecated and will be removed in a future release."
    conversions: Mapping[str, Conversion] = field(default_factory=dict)
    subresources: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The name RBAC and messages use: ``pods``, ``virtualmachines.kubevirt.io``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def store_key(self) -> str:
        return self.shares or self.key

    @property
    def version(self) -> str:
        return self.versions[0]

    def api_version(self, version: str | None = None) -> str:
        """``v1`` or ``group/v1``."""
        chosen = version or self.versions[0]
        return f"{self.group}/{chosen}" if self.group else chosen

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def singular_name(self) -> str:
        return self.singular or self.kind.lower()


class Registry:
    """The resources that this server serves, by RBAC name and by path."""

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_key: dict[str, Resource] = {}
        self._by_path: dict[tuple[str, str, str], Resource] = {}
        self.revision = 0
        for resource in resources:
            self.register(resource)

    def register(self, resource: Resource) -> None:
        """Adds a resource, or replaces the one of the same name."""
        self._by_key[resource.key] = resource
        for version in resource.versions:
            self._by_path[(resource.group, version, resource.plural)] = resource
        self.revision += 1

    def get(self, key: str) -> Resource:
        """The resource of that name; KeyError if there is none."""
        return self._by_key[key]

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self._by_path.get((group, version, plural))

    def __iter__(self) -> Iterator[Resource]:
        return iter(tuple(self._by_key.values()))

    def groups(self) -> dict[str, list[str]]:
        """Group -> versions, preferred first, in order of registration; the core group is ``""``."""
        found: dict[str, list[str]] = {}
        for resource in self._by_key.values():
            versions = found.setdefault(resource.group, [])
            versions.extend(v for v in resource.versions if v not in versions)
        return found
