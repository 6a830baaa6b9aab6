# SPDX-License-Identifier: Apache-2.0
"""Impersonation as a kubeconfig asks for it: the headers that kubectl sends with each request."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from livenad.errors import BadInput

Headers = tuple[tuple[str, str], ...]
"""Names and values in their order; a name may come more than once."""

_IN_NAMES = frozenset(string.ascii_letters + string.digits + "!#$&'*+-.^_`|~")


def impersonation_of(user: Mapping[str, Any], source: str) -> Headers:
    """The headers for ``as``, ``as-uid``, ``as-groups`` and ``as-user-extra`` of a user entry; none without them."""
    name, uid = str(user.get("as") or ""), str(user.get("as-uid") or "")
    groups = [str(group) for group in user.get("as-groups") or ()]
    extra = {str(key): [str(value) for value in values] for key, values in (user.get("as-user-extra") or {}).items()}
    if not name and (uid or groups or extra):
        raise BadInput(
            f'{source}: its user entry has as-uid, as-groups or as-user-extra without "as"; name the user to '
            "impersonate, or remove them"
        )
    if not name:
        return ()
    headers = [("Impersonate-User", name)]
    headers += [("Impersonate-Uid", uid)] if uid else []
    headers += [("Impersonate-Group", group) for group in groups]
    headers += [(f"Impersonate-Extra-{_escaped(key)}", value) for key, values in extra.items() for value in values]
    for header, value in headers:
        if not value.isprintable():
            raise BadInput(f"{source}: {header} {value!r} of its user entry has a character that no header can have")
    return tuple(headers)


def _escaped(key: str) -> str:
    """As Kubernetes' own client writes a key into a header's name."""
    return "".join(chr(byte) if chr(byte) in _IN_NAMES else f"%{byte:02X}" for byte in key.encode())
