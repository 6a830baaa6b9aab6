# SPDX-License-Identifier: Apache-2.0
"""A few raw requests, so that what a run left is judged without the code that left it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config

Object = dict[str, Any]


class Api:
    """The API server behind a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        configuration = client.Configuration()
        loader: Any = config
        loader.load_kube_config(str(kubeconfig), client_configuration=configuration)
        self._client = client.ApiClient(configuration)

    def items(self, path: str, **query: str) -> list[Object]:
        found: list[Object] = json.loads(self._get(path, query))["items"]
        return found

    def read(self, path: str) -> Object:
        """An object, or a document of discovery."""
        found: Object = json.loads(self._get(path, {}))
        return found

    def resource_version(self, path: str) -> str:
        return str(json.loads(self._get(path, {}))["metadata"]["resourceVersion"])

    def added_since(self, path: str, resource_version: str) -> list[Object]:
        """The objects that came after this version, those that are gone again included."""
        query = {"watch": "1", "resourceVersion": resource_version, "timeoutSeconds": "1"}
        events = [json.loads(line) for line in self._get(path, query).splitlines()]
        assert not [event for event in events if event["type"] == "ERROR"], events
        return [event["object"] for event in events if event["type"] == "ADDED"]

    def create(self, path: str, body: Object) -> Object:
        created: Object = json.loads(self._send("POST", path, body))
        return created

    def _get(self, path: str, query: dict[str, str]) -> str:
        return self._send("GET", path + "?" + "&".join(f"{key}={value}" for key, value in query.items()), None)

    def _send(self, verb: str, path: str, body: Object | None) -> str:
        answer = self._client.call_api(
            verb,
            self._client.configuration.host + path,
            header_params={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "Authorization": self._client.configuration.get_api_key_with_prefix("BearerToken") or "",
            },
            body=body,
        )
        return bytes(answer.read()).decode()  # type: ignore[no-untyped-call]


def plain_kubeconfig(kubeconfig: Path, path: Path) -> Path:
    """That of a service account without any rights of its own."""
    account = {"metadata": {"name": "stranger", "namespace": "default"}}
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    api = Api(kubeconfig)
    api.create("/api/v1/namespaces/default/serviceaccounts", account)
    answer = api.create("/api/v1/namespaces/default/serviceaccounts/stranger/token", request)
    config = yaml.safe_load(kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": answer["status"]["token"]}
    path.write_text(yaml.safe_dump(config))
    return path
