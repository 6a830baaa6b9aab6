# SPDX-License-Identifier: Apache-2.0
"""An account whose credentials come and go."""

from __future__ import annotations

from pathlib import Path

from livenad.api.kinds import ACCOUNT

from ..cluster import Api
from .uses import opened

_ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
_BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"


class Account:
    """A service account that may do everything, whose tokens can be revoked."""

    def __init__(self, kubeconfig: Path, name: str) -> None:
        self._cluster = opened(kubeconfig)
        self._api = Api(kubeconfig)
        self.name = name
        self.user = f"system:serviceaccount:default:{name}"
        self._api.create(_ACCOUNTS, {"metadata": {"name": name}})
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
        self._api.create(_BINDINGS, {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]})

    def token(self, seconds: int = 3600) -> str:
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
        answer = self._api.create(f"{_ACCOUNTS}/{self.name}/token", {**request, "spec": {"expirationSeconds": seconds}})
        return str(answer["status"]["token"])

    def revoke(self) -> None:
        """No token that was given is good any more."""
        self._cluster.delete(ACCOUNT, self.name, "default")
        self._api.create(_ACCOUNTS, {"metadata": {"name": self.name}})
