# SPDX-License-Identifier: Apache-2.0
"""The client over HTTPS, for processes other than the API server's."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import yaml

from . import tls
from .client import JsonPatch, Obj
from .errors import ApiError

JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
# Time for connecting and for the first answer; a watch or a stream may then last for ever.
TIMEOUT = aiohttp.ClientTimeout(total=60)
STREAM_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=30, sock_connect=30)


@dataclass(frozen=True)
class Access:
    """How to reach an API server: the certificate authority and the client certificate are PEM files."""

    server: str
    token: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    insecure: bool = False

    def ssl_context(self) -> ssl.SSLContext | bool:
        """The value of aiohttp's ``ssl`` argument."""
        if not self.server.startswith("https:"):
            return True
        context = tls.client_side(self.ca_file or None)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file or None)
        context.set_alpn_protocols(["http/1.1"])
        return context


def read_kubeconfig(path: str | Path, context: str = "") -> Access:
    """The access that a kubeconfig's context (its current one by default) describes.

    ValueError names what is missing. Embedded certificates are written into files that only this user can read.
    """
    config = yaml.safe_load(Path(path).read_text())
    if not isinstance(config, dict):
        raise ValueError(f"kubeconfig {path}: expected a mapping, found {type(config).__name__}")
    chosen = _named(config, path, "contexts", "context", context or config.get("current-context", ""))
    cluster = _named(config, path, "clusters", "cluster", chosen.get("cluster", ""))
    user = _named(config, path, "users", "user", chosen.get("user", ""))
    token = user.get("token", "")
    if not token and user.get("tokenFile"):
        token = Path(user["tokenFile"]).read_text().strip()
    return Access(
        server=str(cluster["server"]).rstrip("/"),
        token=token,
        ca_file=_pem(cluster, "certificate-authority"),
        cert_file=_pem(user, "client-certificate"),
        key_file=_pem(user, "client-key"),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
    )


def _named(config: Obj, path: str | Path, section: str, key: str, name: str) -> Obj:
    for entry in config.get(section) or []:
        if entry.get("name") == name:
            found: Obj = entry.get(key) or {}
            return found
    raise ValueError(f"kubeconfig {path}: no {key} is called {name!r}")


def _pem(section: Obj, field: str) -> str:
    if section.get(field):
        return str(section[field])
    data = section.get(f"{field}-data")
    if not data:
        return ""
    with tempfile.NamedTemporaryFile(prefix="embedded-", suffix=".pem", delete=False) as file:
        file.write(base64.b64decode(data))
    return file.name


class HttpClient:
    """``emulator.kube.client.Client`` over HTTPS. Use as an async context manager, or call ``close``.

    A connection that cannot be made or that breaks is an OSError (ConnectionError, TimeoutError).
    ``version`` answers other API versions than ``v1`` by group.
    """

    def __init__(self, access: Access, *, manager: str = "", versions: Mapping[str, str] | None = None) -> None:
        self.access = access
        self.manager = manager
        self._versions = dict(versions or {})
        self._ssl = access.ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session with credentials and TLS set up, for raw requests and websockets on ``url(path)``."""
        if self._session is None:
            headers = {"Accept": JSON, "User-Agent": self.manager or "embedded-cluster"}
            if self.access.token:
                headers["Authorization"] = f"Bearer {self.access.token}"
            connector = aiohttp.TCPConnector(ssl=self._ssl, limit=0, keepalive_timeout=30)
            self._session = aiohttp.ClientSession(connector=connector, headers=headers)
        return self._session

    def url(self, path: str) -> str:
        return self.access.server + path

    def path(self, resource: str, namespace: str | None = None, name: str = "", subresource: str = "") -> str:
        """``/apis/kubevirt.io/v1/namespaces/a/virtualmachines/b`` for ``virtualmachines.kubevirt.io``."""
        plural, _, group = resource.partition(".")
        version = self._versions.get(group, "v1")
        parts = [f"/apis/{group}/{version}" if group else f"/api/{version}"]
        if namespace:
            parts.append(f"namespaces/{quote(namespace, safe='')}")
        parts += [part for part in (plural, quote(name, safe=""), subresource) if part]
        return "/".join(parts)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content_type: str = JSON,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Sends JSON and returns JSON (text if the answer is not JSON); ApiError for a status of 400 or more."""
        parameters = dict(query or {})
        if self.manager and method in ("POST", "PUT", "PATCH"):
            parameters.setdefault("fieldManager", self.manager)
        url = self.url(path) + (f"?{urlencode(parameters)}" if parameters else "")
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": content_type} if data is not None else {}
        try:
            async with self.session.request(method, url, data=data, headers=headers, timeout=TIMEOUT) as response:
                answer = _decode(await response.read(), response.content_type)
                if response.status >= 400:
                    raise ApiError.from_status(response.status, answer)
                return answer
        except aiohttp.ClientError as error:
            raise _broken(error) from error

    async def get(self, resource: str, name: str, namespace: str | None = None) -> Obj:
        found: Obj = await self.request("GET", self.path(resource, namespace, name))
        return found

    async def list(
        self, resource: str, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> tuple[list[Obj], str]:
        answer = await self.request("GET", self.path(resource, namespace), query=_selectors(labels, fields))
        kind, api_version = str(answer["kind"]).removesuffix("List"), answer["apiVersion"]
        items = [{"kind": kind, "apiVersion": api_version, **item} for item in answer.get("items") or []]
        return items, answer["metadata"]["resourceVersion"]

    async def create(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        meta = obj["metadata"]
        name = meta["name"] if subresource else ""
        path = self.path(resource, meta.get("namespace"), name, subresource)
        created: Obj = await self.request("POST", path, body=self._typed(resource, obj))
        return created

    async def replace(self, resource: str, obj: Obj, *, subresource: str = "") -> Obj:
        meta = obj["metadata"]
        path = self.path(resource, meta.get("namespace"), meta["name"], subresource)
        stored: Obj = await self.request("PUT", path, body=self._typed(resource, obj))
        return stored

    def _typed(self, resource: str, obj: Obj) -> Obj:
        """Adds kind and apiVersion: custom resources must have an apiVersion, and only the caller knows the kind."""
        _, _, group = resource.partition(".")
        version = self._versions.get(group, "v1")
        return {"apiVersion": f"{group}/{version}" if group else version, **obj}

    async def patch(
        self,
        resource: str,
        name: str,
        namespace: str | None,
        patch: JsonPatch | Obj,
        *,
        subresource: str = "",
    ) -> Obj:
        content_type = MERGE_PATCH if isinstance(patch, dict) else JSON_PATCH
        path = self.path(resource, namespace, name, subresource)
        stored: Obj = await self.request("PATCH", path, body=patch, content_type=content_type)
        return stored

    async def delete(
        self,
        resource: str,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        grace: int | None = None,
        propagation: str | None = None,
    ) -> None:
        options: Obj = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if propagation is not None:
            options["propagationPolicy"] = propagation
        await self.request("DELETE", self.path(resource, namespace, name), body=options)

    async def watch(
        self,
        resource: str,
        namespace: str | None = None,
        *,
        since: str,
        labels: str = "",
        fields: str = "",
    ) -> AsyncIterator[tuple[str, Obj]]:
        query = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": since, **_selectors(labels, fields)}
        url = f"{self.url(self.path(resource, namespace))}?{urlencode(query)}"
        try:
            async with self.session.get(url, timeout=STREAM_TIMEOUT) as response:
                if response.status >= 400:
                    raise ApiError.from_status(response.status, _decode(await response.read(), response.content_type))
                async for line in lines(response):
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError.from_status(500, event["object"])
                    if event["type"] != "BOOKMARK":
                        yield event["type"], event["object"]
        except aiohttp.ClientError as error:
            raise _broken(error) from error


async def lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The lines of a streamed answer as they arrive, of any length."""
    rest = b""
    async for chunk in response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                yield line
    if rest:
        yield rest


def _broken(error: aiohttp.ClientError) -> OSError:
    """Turns every error of a broken connection into an OSError, whatever library raised it."""
    return ConnectionError(f"{type(error).__name__}: {error}")


def _selectors(labels: str, fields: str) -> dict[str, str]:
    return {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}


def _decode(raw: bytes, content_type: str) -> Any:
    if content_type == JSON and raw:
        return json.loads(raw)
    return raw.decode(errors="replace")
