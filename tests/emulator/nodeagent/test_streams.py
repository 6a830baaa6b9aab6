# SPDX-License-Identifier: Apache-2.0
"""The stream endpoints: framing, refusals, and how connections end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType

from emulator.cluster_process.certificates import Certificates, write_certificates
from emulator.nodeagent.process import AgentOptions, server_tls

from .conftest import VMIS, Script, agent_script


async def base(script: Script, node: str = "node-1", scheme: str = "http") -> str:
    """The address of a node's endpoint, found as virt-api finds it."""
    handlers, _ = await script.client.list("pods", "kubevirt", labels="kubevirt.io=virt-handler")
    pod = next(pod for pod in handlers if pod["spec"]["nodeName"] == node)
    port = pod["spec"]["containers"][0]["ports"][0]["containerPort"]
    return f"{scheme}://{pod['status']['podIP']}:{port}/v1/namespaces/demo/virtualmachineinstances"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def console(script: Script, session: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
    url = f"{await base(script)}/vm1/console"
    return await session.ws_connect(url, protocols=("plain.kubevirt.io",), autoclose=False)


async def test_console_is_binary_both_ways_and_ignores_text(script: Script, session: aiohttp.ClientSession) -> None:
    await script.running()
    websocket = await console(script, session)
    assert websocket.protocol == "plain.kubevirt.io"
    await websocket.send_str("ignored")
    await websocket.send_bytes(b"\xff\r")
    message = await websocket.receive(timeout=30)
    assert (message.type, message.data) == (WSMsgType.BINARY, b"\xff\r")


async def test_second_console_cuts_the_first_without_a_close_frame(
    script: Script, session: aiohttp.ClientSession
) -> None:
    await script.running()
    first = await console(script, session)
    second = await console(script, session)
    message = await first.receive(timeout=30)
    assert message.type is WSMsgType.CLOSED
    assert first.close_code == 1006
    await second.send_bytes(b"x")
    assert (await second.receive(timeout=30)).data == b"x"


async def test_clients_close_frame_is_echoed(script: Script, session: aiohttp.ClientSession) -> None:
    await script.running()
    websocket = await console(script, session)
    await websocket.send_frame((1001).to_bytes(2, "big"), WSMsgType.CLOSE)
    message = await websocket.receive(timeout=30)
    assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)


async def test_console_ends_at_switch_over_and_the_target_serves_it(
    script: Script, session: aiohttp.ClientSession
) -> None:
    vmi = await script.running()
    websocket = await console(script, session)
    await script.hand_over(vmi)
    message = await websocket.receive(timeout=30)
    assert (message.type, websocket.close_code) == (WSMsgType.CLOSED, 1006)
    await script.until(VMIS, "vm1", lambda v: v["status"]["nodeName"] == "node-2")
    async with session.get(f"{await base(script)}/vm1/console") as refused:
        assert (refused.status, await refused.text()) == (400, "failed to find the serial socket")
    there = await session.ws_connect(f"{await base(script, 'node-2')}/vm1/console")
    await there.send_bytes(b"hi")
    assert (await there.receive(timeout=30)).data == b"hi"


async def test_port_forward_carries_bytes_and_just_ends(script: Script, session: aiohttp.ClientSession) -> None:
    await script.running()
    websocket = await session.ws_connect(f"{await base(script)}/vm1/portforward/22/tcp", autoclose=False)
    guest = script.dataplane.guest_ports[22]
    loop = asyncio.get_running_loop()
    await websocket.send_bytes(b"SSH-2.0-x\r\n")
    assert await loop.sock_recv(guest, 100) == b"SSH-2.0-x\r\n"
    await loop.sock_sendall(guest, b"answer")
    assert (await websocket.receive(timeout=30)).data == b"answer"
    guest.close()
    message = await websocket.receive(timeout=30)
    assert (message.type, websocket.close_code) == (WSMsgType.CLOSED, 1006)


async def test_forwarded_connection_ends_at_switch_over(script: Script, session: aiohttp.ClientSession) -> None:
    vmi = await script.running()
    websocket = await session.ws_connect(f"{await base(script)}/vm1/portforward/22/tcp", autoclose=False)
    await script.hand_over(vmi)
    message = await websocket.receive(timeout=30)
    assert (message.type, websocket.close_code) == (WSMsgType.CLOSED, 1006)


@pytest.mark.parametrize(
    ("port", "text"),
    [("81", "dial tcp 10.244.0.2:81: connect: connection refused"), ("abc", "dial tcp: address abc: invalid port")],
)
async def test_dial_that_fails_is_told_before_the_upgrade(
    script: Script, session: aiohttp.ClientSession, port: str, text: str
) -> None:
    await script.running()
    async with session.get(f"{await base(script)}/vm1/portforward/{port}/tcp") as refused:
        assert (refused.status, await refused.text()) == (500, text)


async def test_guest_agents_data(script: Script, session: aiohttp.ClientSession) -> None:
    vmi = await script.running()
    url = f"{await base(script)}/vm1/guestosinfo"
    async with session.get(url) as answer:
        info = await answer.json()
    assert (info["hostname"], info["os"]["id"]) == ("vm1", "debian")
    script.dataplane.guests[vmi["metadata"]["uid"]].agent = False
    await script.until(VMIS, "vm1", lambda v: v["status"]["guestOSInfo"] == {})
    async with session.get(url) as answer:
        assert (answer.status, await answer.text()) == (500, "VMI does not have guest agent connected")


async def test_pause_and_unpause(script: Script, session: aiohttp.ClientSession) -> None:
    vmi = await script.running()
    url = await base(script)
    guest = script.dataplane.guests[vmi["metadata"]["uid"]]
    async with session.put(f"{url}/vm1/pause") as answer:
        assert answer.status == 202
    paused = await script.until(VMIS, "vm1", lambda v: any(c["type"] == "Paused" for c in v["status"]["conditions"]))
    assert guest.frozen
    assert next(c["reason"] for c in paused["status"]["conditions"] if c["type"] == "Paused") == "PausedByUser"
    async with session.put(f"{url}/vm1/unpause"):
        pass
    await script.until(VMIS, "vm1", lambda v: all(c["type"] != "Paused" for c in v["status"]["conditions"]))
    assert not guest.frozen


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return write_certificates(tmp_path)


async def test_mutual_tls(certificates: Certificates) -> None:
    files = certificates
    options = AgentOptions(
        "", tls_cert=str(files.handler_cert), tls_key=str(files.handler_key), tls_client_ca=str(files.stream_ca)
    )
    client = ssl.create_default_context(cafile=str(files.stream_ca))
    client.check_hostname = False
    async with agent_script(tls=server_tls(options)) as script, aiohttp.ClientSession() as session:
        url = f"{await base(script, scheme='https')}/none/guestosinfo"
        with pytest.raises((aiohttp.ClientError, ssl.SSLError)):
            await session.get(url, ssl=client)
        client.load_cert_chain(files.virt_api_cert, files.virt_api_key)
        async with session.get(url, ssl=client) as answer:
            assert answer.status == 500
