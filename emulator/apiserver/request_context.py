# SPDX-License-Identifier: Apache-2.0
"""The context of one request to the API: user, options, target."""

from __future__ import annotations

from dataclasses import dataclass, field

from .registry import Resource
from .users import ADMIN, UserInfo


@dataclass
class Call:
    """The user and the options of a request.

    ``warnings`` collects the texts of ``Warning`` headers while the request is served. ``manager`` is the field
    manager; ``validation`` is Strict, Warn or Ignore; ``version`` is the API version served, "" for the preferred one;
    ``duplicates`` are the fields that the body had twice; ``applying`` says that the object's managedFields are already
    final; ``size`` is that of the body in bytes.
    """

    user: UserInfo = ADMIN
    manager: str = "unknown"
    dry_run: bool = False
    validation: str = "Warn"
    version: str = ""
    options: dict[str, object] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    applying: bool = False
    size: int = 0

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


@dataclass(frozen=True)
class DeleteOptions:
    """How to delete. ``grace`` in seconds; ``propagation`` is Background, Foreground, Orphan or "" for the default."""

    grace: int | None = None
    propagation: str = ""
    uid: str = ""
    resource_version: str = ""


@dataclass(frozen=True)
class Target:
    """The object of a request, or a collection if there is no name."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace if self.resource.namespaced else "", self.name)
