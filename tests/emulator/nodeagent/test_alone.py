"""``python -m emulator node-agent`` against an API server with no control plane of ours behind it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from emulator.apiserver.server import ApiServer
from emulator.apiserver.users import ADMIN
from emulator.fabric.sandbox import check_machine
from emulator.lab.certificates import write_certificates
from emulator.lab.identities import ADMIN as ADMINISTRATOR
from emulator.lab.kubeconfig import write_kubeconfig
from emulator.nodeagent.process import AgentOptions, serve

from .conftest import VMIS, Script
from .fake_fabric import FakeFabric

ROOT = Path(__file__).resolve().parents[3]
LACKING = [str(finding) for finding in check_machine() if finding.fatal]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[tuple[ApiServer, Path]]:
    """An API server over HTTPS with the CRDs, and an administrator's kubeconfig for it."""
    files = write_certificates(tmp_path / "certificates")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.api_cert, files.api_key)
    server = ApiServer()
    server.tokens.add("a-token", ADMIN)
    listening = socket.create_server(("127.0.0.1", 0))
    kubeconfig = tmp_path / "kubeconfig"
    address = f"https://127.0.0.1:{listening.getsockname()[1]}"
    write_kubeconfig(kubeconfig, address, files.ca, {"a-token": ADMINISTRATOR})
    await server.start(listening, tls)
    yield server, kubeconfig
    await server.stop()


@pytest.mark.skipif(bool(LACKING), reason="; ".join(LACKING))
async def test_scripted_control_plane_gets_a_real_guest(api: tuple[ApiServer, Path]) -> None:
    server, kubeconfig = api
    words = ("--kubeconfig", str(kubeconfig), "--node", "node-1", "--node", "node-2", "--speed", "50")
    agent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "emulator", "node-agent", *words), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    try:
        script = Script(server.client(ADMIN), FakeFabric())
        meta = {"name": "demo"}
        await script.client.create("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        await script.nad("nad-a", vlan=100)
        await script.nad("nad-b", vlan=200)
        network = "version: 2\nethernets: {net1: {match: {macaddress: '02:aa:00:00:00:01'}, addresses: [10.9.0.1/24]}}"
        cloud_init = {"userData": "#cloud-config\nhostname: alone\n", "networkData": network}
        vmi = await script.running(volumes=[{"name": "ci", "cloudInitNoCloud": cloud_init}])
        nic = vmi["status"]["interfaces"][1]
        assert (nic["mac"], nic["ipAddress"]) == ("02:aa:00:00:00:01", "10.9.0.1")
        await script.hand_over(vmi)
        moved = await script.until(VMIS, "vm1", lambda v: v["status"].get("migrationState", {}).get("completed"))
        assert moved["status"]["nodeName"] == "node-2"
        assert "failed" not in moved["status"]["migrationState"]
    finally:
        if agent.returncode is None:
            os.kill(agent.pid, signal.SIGTERM)
        _, told = await agent.communicate()
    assert agent.returncode == 0, told.decode()


def test_kubeconfig_that_is_not_there_is_told_before_anything_else(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="none: there is no such file, or it may not be read"):
        serve(AgentOptions(kubeconfig=str(tmp_path / "none")))
