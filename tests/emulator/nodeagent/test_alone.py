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

from emulator.apiserver.server import ApiServer
from emulator.apiserver.users import ADMIN, NODE_NAME, UserInfo
from emulator.cluster_process.certificates import Certificates, write_certificates
from emulator.cluster_process.identities import node_identities
from emulator.cluster_process.kubeconfig import write_kubeconfig
from emulator.cluster_process.roles import grant
from emulator.controlplane.admission.node_restriction import NodeRestriction
from emulator.controlplane.context import Shared
from emulator.controlplane.profile import profile_for
from emulator.dataplane.host_link import what_forbids_it
from emulator.dataplane.userns import check_machine
from emulator.fault_points import FaultPoints
from emulator.kube.client import Obj
from emulator.nodeagent.process import AgentOptions, serve
from emulator.pace import Pace
from emulator.platforms.platform import KUBERNETES

from .__main__ import refused
from .conftest import VMIS, Script, has
from .fake_dataplane import FakeDataPlane

NODES = ("node-1", "node-2")
ROOT = Path(__file__).resolve().parents[3]
# A process of its own on a busy machine.
STARTED_WITHIN = 30.0
LACKING = [str(finding) for finding in check_machine() if finding.fatal]
UNCONNECTED = "" if LACKING else what_forbids_it()


@dataclass
class Cluster:
    """An API server over HTTPS with the CRDs, and nothing that acts on its objects."""

    server: ApiServer
    kubeconfig: Path
    files: Certificates


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    """The kubeconfig has a kubelet, Multus and virt-handlers, each with the rights of a real one and no others.

    What keeps a real virt-handler to its node keeps these.
    """
    files = write_certificates(tmp_path / "certificates")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.api_cert, files.api_key)
    server = ApiServer()
    tokens = {f"token-of-{who.context}": who for who in node_identities(KUBERNETES, NODES)}
    for token, who in tokens.items():
        extra = {NODE_NAME: (who.node,)} if who.node else {}
        server.tokens.add(token, UserInfo(who.user, who.groups, extra=extra))
    shared = Shared(lambda user: server.client(UserInfo(user)), profile_for("1.9"), Pace(50), FaultPoints())
    NodeRestriction(shared).register(server.admission)
    listening = socket.create_server(("127.0.0.1", 0))
    kubeconfig = tmp_path / "kubeconfig"
    write_kubeconfig(kubeconfig, f"https://127.0.0.1:{listening.getsockname()[1]}", files.ca, tokens)
    await server.start(listening, tls)
    await grant(server.client(ADMIN), KUBERNETES)
    yield Cluster(server, kubeconfig, files)
    await server.stop()


async def started(cluster: Cluster) -> asyncio.subprocess.Process:
    files = cluster.files
    words = [
        *("--kubeconfig", str(cluster.kubeconfig), "--node", "node-1", "--node", "node-2", "--speed", "50"),
        *("--tls-cert", str(files.handler_cert), "--tls-key", str(files.handler_key)),
        *("--tls-client-ca", str(files.stream_ca)),
        *(() if UNCONNECTED else ("--connect-host",)),
    ]
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulator", "node-agent", *words), cwd=ROOT, stderr=asyncio.subprocess.PIPE
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
    assert list(refused(audit, {handler, kubelet})) == [
        f"{handler}: update virtualmachineinstances: 422",
        f"{kubelet}: update nodes/status: 403",
        f"{handler}: create events: 403",
    ]
