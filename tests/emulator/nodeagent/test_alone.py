# SPDX-License-Identifier: Apache-2.0
"""``python -m emulator node-agent`` against an API server with no control plane of ours behind it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from emulator.apiserver.local_client import LocalClient
from emulator.apiserver.server import ApiServer
from emulator.apiserver.users import ADMIN, UserInfo
from emulator.cli.main import main
from emulator.cli.unexpected import BROKEN
from emulator.cluster_process.certificates import Certificates, write_certificates
from emulator.cluster_process.identities import ADMIN as ADMINISTRATOR
from emulator.cluster_process.kubeconfig import write_kubeconfig
from emulator.cluster_process.roles import grant
from emulator.controlplane.admission.node_restriction import NodeRestriction
from emulator.controlplane.context import Shared
from emulator.controlplane.profile import profile_for
from emulator.dataplane.host_link import what_forbids_it
from emulator.dataplane.userns import check_machine
from emulator.fault_points import FaultPoints
from emulator.kube.client import Obj
from emulator.kube.errors import ApiError
from emulator.nodeagent import process
from emulator.nodeagent.process import AgentOptions, serve
from emulator.pace import Pace
from emulator.platforms.platform import KUBERNETES

from .__main__ import Refusals
from .conftest import VMIS, Script, has
from .fake_dataplane import FakeDataPlane

ROOT = Path(__file__).resolve().parents[3]
# A process of its own on a busy machine.
STARTED_WITHIN = 30.0
LACKING = [str(finding) for finding in check_machine() if finding.fatal]
UNCONNECTED = "" if LACKING else what_forbids_it()


@dataclass
class Cluster:
    """An API server over HTTPS with the CRDs, and nothing that acts on its objects.

    ``kubeconfig`` is the administrator's, ``folder`` has what the commands of the documentation leave.
    """

    server: ApiServer
    kubeconfig: Path
    files: Certificates
    folder: Path


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A kubelet, Multus and virt-handlers have the rights of real ones here and no others.

    What keeps a real virt-handler to its node keeps these.
    """
    files = write_certificates(tmp_path / "certificates")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.api_cert, files.api_key)
    server = ApiServer()
    server.tokens.add("administrator", ADMIN)
    shared = Shared(lambda user: server.client(UserInfo(user)), profile_for("1.9"), Pace(50), FaultPoints())
    NodeRestriction(shared).register(server.admission)
    listening = socket.create_server(("127.0.0.1", 0))
    kubeconfig = tmp_path / "admin.kubeconfig"
    url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    write_kubeconfig(kubeconfig, url, files.ca, {"administrator": ADMINISTRATOR})
    await server.prepare()
    await server.start(listening, tls)
    await install(server.client(ADMIN), files)
    yield Cluster(server, kubeconfig, files, tmp_path)
    await server.stop()


async def install(admin: LocalClient, files: Certificates) -> None:
    """What an installation of Multus and KubeVirt leaves that a node agent needs."""
    await grant(admin, KUBERNETES)
    await admin.create("namespaces", {"metadata": {"name": "kubevirt"}})
    for namespace, name in (("kube-system", "multus"), ("kubevirt", "kubevirt-handler")):
        await admin.create("serviceaccounts", {"metadata": {"name": name, "namespace": namespace}})
    pair = {"tls.crt": files.handler_cert, "tls.key": files.handler_key}
    encoded = {key: base64.b64encode(file.read_bytes()).decode() for key, file in pair.items()}
    meta = {"name": "kubevirt-virt-handler-server-certs", "namespace": "kubevirt"}
    await admin.create("secrets", {"metadata": meta, "data": encoded})
    meta = {"name": "kubevirt-ca", "namespace": "kubevirt"}
    await admin.create("configmaps", {"metadata": meta, "data": {"ca-bundle": files.stream_ca.read_text()}})


def commands(cluster: Cluster, after: str) -> str:
    """The block of the documentation after these words, for the nodes and files of the test."""
    text = (ROOT / "docs/how-the-embedded-cluster-works.md").read_text(encoding="utf-8")
    block = text.partition(after)[2].partition("```bash\n")[2].partition("```")[0].replace("worker-", "node-")
    assert block, after
    for name in ("agent.kubeconfig", "handler.crt", "handler.key", "clients.crt"):
        block = block.replace(name, str(cluster.folder / name))
    return block


async def started(cluster: Cluster) -> asyncio.subprocess.Process:
    """The agent, started as the documentation says, after the administrator has done what it says."""
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "PATH": f"{binaries}:{os.environ['PATH']}"}
    prepared = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", commands(cluster, "An administrator makes them so")),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await prepared.communicate()
    assert prepared.returncode == 0, said.decode()
    words = commands(cluster, "The agent does not renew them").split()
    assert words[0] == ".venv/bin/python"
    if UNCONNECTED:
        words.remove("--connect-host")
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *words[1:], "--speed", "50"), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )


async def endpoints(script: Script) -> dict[str, str]:
    """The URL of each node's stream endpoint, found as virt-api finds it."""
    pods, _ = await script.client.list("pods", "kubevirt", labels="kubevirt.io=virt-handler")
    ports = {pod["spec"]["nodeName"]: pod["spec"]["containers"][0]["ports"][0]["containerPort"] for pod in pods}
    return {
        pod["spec"]["nodeName"]: f"https://{pod['status']['podIP']}:{ports[pod['spec']['nodeName']]}"
        f"/v1/namespaces/{script.namespace}/virtualmachineinstances"
        for pod in pods
    }


async def check_streams(script: Script, files: Certificates) -> None:
    """An address for each node, virt-handler's paths, and nothing for clients without a certificate."""
    urls = await endpoints(script)
    assert len({url.split(":")[1] for url in urls.values()}) == len(urls) == 2
    client = ssl.create_default_context(cafile=str(files.stream_ca))
    client.check_hostname = False
    console = f"{urls['node-1']}/vm1/console"
    async with aiohttp.ClientSession() as session:
        with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
            await session.ws_connect(console, ssl=client)
        client.load_cert_chain(files.virt_api_cert, files.virt_api_key)
        async with session.ws_connect(console, ssl=client, protocols=("plain.kubevirt.io",)) as websocket:
            await websocket.send_bytes(b"\r")
            said = b""
            while b"login:" not in said:
                said += (await websocket.receive(timeout=10)).data
        async with session.get(f"{urls['node-1']}/vm1/guestosinfo", ssl=client) as answer:
            assert (await answer.json())["hostname"] == "alone"
        async with session.get(f"{urls['node-2']}/vm1/console", ssl=client) as elsewhere:
            assert elsewhere.status == 400


async def check_pod_address(vmi: Obj) -> None:
    """A real virt-api forwards a port by dialling the VM's address."""
    if UNCONNECTED:
        print(f"not dialled: {UNCONNECTED}")
        return
    async with asyncio.timeout(STARTED_WITHIN):
        reader, writer = await asyncio.open_connection(vmi["status"]["interfaces"][0]["ipAddress"], 22)
        assert (await reader.readline()).startswith(b"SSH-2.0-")
        writer.close()


@pytest.mark.skipif(bool(LACKING), reason="; ".join(LACKING))
async def test_scripted_control_plane_gets_a_real_guest(cluster: Cluster) -> None:
    agent = await started(cluster)
    try:
        script = Script(cluster.server.client(ADMIN), FakeDataPlane())
        meta = {"name": "demo"}
        await script.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        for node in ("node-1", "node-2"):
            await script.until("nodes", node, lambda n: n and "status" in n and has(n, "Ready"), seconds=STARTED_WITHIN)
        await script.nad("nad-a", vlan=100)
        await script.nad("nad-b", vlan=200)
        net1 = "net1: {match: {macaddress: '02:aa:00:00:00:01'}, addresses: [10.9.0.1/24]}"
        network = f"version: 2\nethernets: {{{net1}, eth0: {{dhcp4: true}}}}"
        user_data = base64.b64encode(b"#cloud-config\nhostname: alone\n").decode()
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "user-data", "namespace": script.namespace},
        }
        await script.client.create("secrets", {**secret, "data": {"userdata": user_data}})
        cloud_init = {"secretRef": {"name": "user-data"}, "networkData": network}
        vmi = await script.running(volumes=[{"name": "ci", "cloudInitNoCloud": cloud_init}])
        nic = vmi["status"]["interfaces"][1]
        assert (nic["mac"], nic["ipAddress"]) == ("02:aa:00:00:00:01", "10.9.0.1")
        await check_streams(script, cluster.files)
        await check_pod_address(vmi)
        await script.hand_over(vmi)
        moved = await script.until(VMIS, "vm1", lambda v: v["status"].get("migrationState", {}).get("completed"))
        assert moved["status"]["nodeName"] == "node-2"
        assert "failed" not in moved["status"]["migrationState"]
        await check_pod_address(moved)
    finally:
        if agent.returncode is None:
            os.kill(agent.pid, signal.SIGTERM)
        _, told = await agent.communicate()
    assert agent.returncode == 0, told.decode()
    assert "forbidden" not in told.decode().lower()
    assert "restriction" not in told.decode().lower()


def test_kubeconfig_that_is_not_there_is_told_before_anything_else(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none: there is no such file, or it may not be read"):
        serve(AgentOptions(kubeconfig=str(tmp_path / "none")))


def test_request_that_the_api_server_refuses_ends_the_agent_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(_: AgentOptions) -> None:
        raise ExceptionGroup("", [ApiError(404, "NotFound", 'namespaces "kubevirt" not found')])

    monkeypatch.setattr(process, "serve", refused)
    assert main(["node-agent", "--kubeconfig", "any"]) == BROKEN
    assert capsys.readouterr().err == (
        'python -m emulator node-agent: the API server refused a request (404): namespaces "kubevirt" not found; '
        "what the agent needs is in docs/how-the-embedded-cluster-works.md\n"
    )


def test_requests_of_the_agent_that_are_refused_are_counted(tmp_path: Path) -> None:
    """By a role (403) or by a restriction (422); not what is not there, or is ending."""
    handler, kubelet = "system:serviceaccount:kubevirt:kubevirt-handler", "system:node:embedded"
    lines = [
        {"user": {"username": user}, "verb": verb, "objectRef": target, "responseStatus": {"code": code}}
        for user, verb, code, target in (
            (handler, "update", 422, {"resource": "virtualmachineinstances"}),
            (kubelet, "update", 403, {"resource": "nodes", "subresource": "status"}),
            (kubelet, "update", 409, {"resource": "pods"}),
            (handler, "update", 404, {"resource": "nodes"}),
            ("embedded-admin", "update", 422, {"resource": "pods"}),
            (handler, "create", 403, {"resource": "events", "namespace": "demo"}),
            ("embedded-admin", "delete", 200, {"resource": "namespaces", "name": "demo"}),
            (handler, "create", 403, {"resource": "events", "namespace": "demo"}),
        )
    ]
    audit = tmp_path / "audit.jsonl"
    audit.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    assert Refusals.read(audit, {handler, kubelet}) == Refusals(
        6,
        {
            f"{handler}: update virtualmachineinstances: 422": 1,
            f"{kubelet}: update nodes/status: 403": 1,
            f"{handler}: create events: 403": 1,
        },
    )
    assert Refusals.read(audit, {handler, kubelet}, since=6) == Refusals(1, {})
