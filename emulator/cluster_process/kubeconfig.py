# SPDX-License-Identifier: Apache-2.0
"""The kubeconfigs of an embedded cluster."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .identities import ADMIN, Identity

CLUSTER = "embedded"


BY_CERTIFICATE = "embedded-certificate"


def write_kubeconfig(
    path: Path, server: str, ca: Path, tokens: Mapping[str, Identity], certificate: tuple[Path, Path] | None = None
) -> None:
    """One context for each identity; the administrator's is the current one if it is among them.

    With ``certificate``, the files of a client certificate and its key, there is also a context for its user. The
    authority is embedded, so that the file can be copied; only the user may read it.
    """
    identities = list(tokens.values())
    current = ADMIN.context if ADMIN in identities else identities[0].context
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": CLUSTER,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": base64.b64encode(ca.read_bytes()).decode(),
                },
            }
        ],
        "users": [{"name": _name(who), "user": {"token": token}} for token, who in tokens.items()],
        "contexts": [
            {"name": who.context, "context": {"cluster": CLUSTER, "user": _name(who), "namespace": "default"}}
            for who in identities
        ],
        "current-context": current,
    }
    if certificate is not None:
        data = [base64.b64encode(file.read_bytes()).decode() for file in certificate]
        user = dict(zip(("client-certificate-data", "client-key-data"), data, strict=True))
        config["users"].append({"name": BY_CERTIFICATE, "user": user})
        context = {"cluster": CLUSTER, "user": BY_CERTIFICATE, "namespace": "default"}
        config["contexts"].append({"name": BY_CERTIFICATE, "context": context})
    write_private(path, yaml.safe_dump(config, sort_keys=False))


def _name(who: Identity) -> str:
    """One user may have several tokens, each bound to a node."""
    return f"{who.user}@{who.node}" if who.node else who.user


def write_private(path: Path, text: str) -> None:
    """Writes a file that at no moment another user can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, 0o600)
        file.write(text)
