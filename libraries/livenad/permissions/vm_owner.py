# SPDX-License-Identifier: Apache-2.0
"""A VM owner: a service account with the namespace role ``edit``, and a client with its rights."""

from __future__ import annotations

import copy

from livenad.api.client import Cluster
from livenad.api.connection import Connection
from livenad.api.kinds import ACCOUNT, BINDING, dig
from livenad.api.kubeconfig import Access
from livenad.ownership.created_resources import CreatedResources
from livenad.ownership.naming import SuiteNamespace

_RBAC = "rbac.authorization.k8s.io"


def create_owner(
    client: Cluster, created: CreatedResources, suite: SuiteNamespace, name: str, *, verify: bool
) -> Cluster:
    """Create the account in the test namespace and return a client with its token. ApiError 403 without that right."""
    namespace, name = suite.name, suite.naming.real(name)
    meta = {"name": name, "namespace": namespace}
    role = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "edit"}
    subject = {"kind": "ServiceAccount", **meta}
    created.create(ACCOUNT, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": dict(meta)})
    binding = {"apiVersion": BINDING.api_version, "kind": "RoleBinding", "roleRef": role, "subjects": [subject]}
    created.create(BINDING, {**binding, "metadata": dict(meta)})

    def access() -> Access:
        ours = client.connection.configuration
        theirs = copy.copy(ours)
        theirs.api_key = {"BearerToken": f"Bearer {_token(client, namespace, name)}"}
        theirs.api_key_prefix = {}
        theirs.refresh_api_key_hook = None
        theirs.cert_file = theirs.key_file = None
        return Access(theirs)

    return Cluster(Connection(access(), f"service account {namespace}/{name}", access, verify=verify))


def _token(client: Cluster, namespace: str, name: str) -> str:
    """A token of the account for an hour; where the API server refuses it later, the connection asks for another."""
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    path = f"{ACCOUNT.path(namespace, name)}/token"
    answer = client.request("POST", path, body=request, title=f"token of {name}", repeatable=True)
    return str(dig(answer, "status", "token"))
