"""The clients of an embedded cluster's API outside of its process, with one token each."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ..platforms.platform import Platform

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"


@dataclass(frozen=True)
class Identity:
    """``context`` names the identity in a kubeconfig; ``groups`` are complete."""

    context: str
    user: str
    groups: tuple[str, ...]


ADMIN = Identity("embedded", "embedded-admin", (MASTERS, AUTHENTICATED))


def node_identities(platform: Platform) -> tuple[Identity, ...]:
    """The identities of the node agent: each component of a node has its own."""
    return (
        Identity("kubelet", "system:node:embedded", ("system:nodes", AUTHENTICATED)),
        _service_account("multus", "kube-system", "multus"),
        _service_account("virt-handler", platform.kubevirt_namespace, "kubevirt-handler"),
        *((_service_account("nmstate-handler", "openshift-nmstate", "nmstate-handler"),) if platform.nmstate else ()),
    )


def _service_account(context: str, namespace: str, name: str) -> Identity:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return Identity(context, f"system:serviceaccount:{namespace}:{name}", groups)


def new_tokens(platform: Platform) -> dict[str, Identity]:
    """A new token for each identity."""
    return {secrets.token_urlsafe(24): identity for identity in (ADMIN, *node_identities(platform))}
