# SPDX-License-Identifier: Apache-2.0
"""The clients of an embedded cluster's API outside of its process, with one token each."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ..platforms.platform import Platform

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"


@dataclass(frozen=True)
class Identity:
    """``context`` names the identity in a kubeconfig; ``groups`` are complete. ``node`` is the node that its token is
    bound to, as a token of a pod is; "" for none.
    """

    context: str
    user: str
    groups: tuple[str, ...]
    node: str = ""


ADMIN = Identity("embedded", "embedded-admin", (MASTERS, AUTHENTICATED))


def node_identities(platform: Platform, nodes: Iterable[str] = ()) -> tuple[Identity, ...]:
    """The identities of the node agent: each component has its own, and virt-handler one more for each node."""
    handler = _service_account("virt-handler", platform.kubevirt_namespace, "kubevirt-handler")
    return (
        Identity("kubelet", "system:node:embedded", ("system:nodes", AUTHENTICATED)),
        _service_account("multus", "kube-system", "multus"),
        handler,
        *(replace(handler, context=f"{handler.context}@{node}", node=node) for node in nodes),
        *((_service_account("nmstate-handler", "openshift-nmstate", "nmstate-handler"),) if platform.nmstate else ()),
    )


def _service_account(context: str, namespace: str, name: str) -> Identity:
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return Identity(context, f"system:serviceaccount:{namespace}:{name}", groups)


def new_tokens(platform: Platform, nodes: Iterable[str] = ()) -> dict[str, Identity]:
    """A new token for each identity."""
    return {secrets.token_urlsafe(24): identity for identity in (ADMIN, *node_identities(platform, nodes))}
