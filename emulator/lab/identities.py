"""Who speaks to the API of an embedded cluster from outside its process, with one token each."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"


@dataclass(frozen=True)
class Identity:
    """``context`` names the identity in a kubeconfig; ``groups`` are complete."""

    context: str
    user: str
    groups: tuple[str, ...]


ADMIN = Identity("embedded", "embedded-admin", (MASTERS, AUTHENTICATED))
NODE_IDENTITIES = (
    Identity("kubelet", "system:node:embedded", ("system:nodes", AUTHENTICATED)),
    Identity(
        "multus",
        "system:serviceaccount:kube-system:multus",
        ("system:serviceaccounts", "system:serviceaccounts:kube-system", AUTHENTICATED),
    ),
    Identity(
        "virt-handler",
        "system:serviceaccount:kubevirt:kubevirt-handler",
        ("system:serviceaccounts", "system:serviceaccounts:kubevirt", AUTHENTICATED),
    ),
)


def new_tokens() -> dict[str, Identity]:
    """A fresh token for each identity."""
    return {secrets.token_urlsafe(24): identity for identity in (ADMIN, *NODE_IDENTITIES)}
