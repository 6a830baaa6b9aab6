# SPDX-License-Identifier: Apache-2.0
"""Ways into a guest: the serial console and SSH."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from pathlib import Path

import asyncssh
import pytest

from tests.emulator.dataplane.lab import USER_DATA, Lab, at_login, dialogue, expect, until_quiet

PROMPT = b"tester@g1:~$ "


async def login_dialogue_is_the_recorded_one(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    console = await lab.dataplane.console("g1")
    assert await at_login(console) == b"\r\r\ng1 login: "
    await dialogue(console, b"unknown-user\r", b"Password: ")
    answer = await dialogue(console, b"x\r", b"login: ")
    assert answer == b"\r\n\r\nLogin incorrect\r\ng1 login: "
    assert await dialogue(console, b"tester\r", b"Password: ") == b"tester\r\nPassword: "
    await dialogue(console, b"wrong\r", b"Login incorrect\r\ng1 login: ")
    await dialogue(console, b"tester\r", b"Password: ")
    greeting = await dialogue(console, b"secret\r", PROMPT)
    assert b"secret" not in greeting
    assert b"There was 1 failed login attempt since the last successful login.\r\n" in greeting
    answer = await dialogue(console, b"tty; whoami; echo $TERM $HOME; stty size\r", b"24 80")
    assert b"/dev/ttyS0\r\ntester\r\nvt220 /home/tester\r\n" in answer
    await expect(console, PROMPT)
    # Job control: a running program is stopped, listed and ended. It has the terminal once it says something itself:
    # until then the shell takes the keys, in a mode of its own.
    await dialogue(console, b"sh -c 'echo ready; exec cat'\r", b"\rready\r\n")
    await dialogue(console, b"one\r", b"one\r\none\r\n")
    assert b"Stopped" in await dialogue(console, b"\x1a", PROMPT)
    await dialogue(console, b"fg\r", b"exec cat'\r\n")
    await dialogue(console, b"two\r", b"two\r\ntwo\r\n")
    assert b"^C" in await dialogue(console, b"\x03", PROMPT)
    answer = await dialogue(console, b"exit\r", b"login: ")
    assert b"logout\r\n\r\r\nEmbedded Cluster Guest 1 g1 ttyS0\r\n\r\ng1 login: " in answer
    await dialogue(console, b"tester\r", b"Password: ")
    assert b"Last login: " in await dialogue(console, b"secret\r", PROMPT)


async def root_is_locked_and_ctrl_d_asks_anew(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    console = await lab.dataplane.console("g1")
    await at_login(console)
    await dialogue(console, b"root\r", b"Password: ")
    await dialogue(console, b"root\r", b"Login incorrect")
    await expect(console, b"login: ")
    assert b"ttyS0\r\n\r\ng1 login: " in await dialogue(console, b"\x04", b"login: ")


async def new_console_ends_the_older_and_finds_what_was_typed(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    first = await lab.dataplane.console("g1")
    await at_login(first)
    await dialogue(first, b"tester\r", b"Password: ")
    await dialogue(first, b"secret\r", PROMPT)
    await dialogue(first, b"echo half-ty", b"half-ty")
    second = await lab.dataplane.console("g1")
    assert await asyncio.wait_for(first.read(), 2) == b""
    with pytest.raises(BrokenPipeError):
        await first.write(b"x")
    # What the first client half typed is still there: Enter runs all of it.
    await dialogue(second, b"ped\r", b"\rhalf-typed\r\n")


async def output_without_a_client_is_lost_and_a_slow_client_holds_the_guest(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    await lab.run("g1", "sh", "-c", "seq 1 30000 > /dev/ttyS0")
    console = await lab.dataplane.console("g1")
    # A few lines may still have been on their way.
    assert len(await until_quiet(console)) < 20_000
    await lab.run("g1", "sh", "-c", "(seq 1 100000 > /dev/ttyS0; touch /root/done) >/dev/null 2>&1 &")
    await asyncio.sleep(0.5)
    assert (await lab.dataplane.run_inside("g1", ["test", "-e", "/root/done"]))[0] == 1
    seen = await expect(console, b"\r\n100000\r\n")
    assert seen.startswith(b"1\r\n2\r\n3\r\n")
    assert seen.count(b"\n") == 100_000


async def frozen_guest_answers_what_was_typed_when_it_goes_on(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    console = await lab.dataplane.console("g1")
    await at_login(console)
    await lab.dataplane.freeze("g1", True)
    await until_quiet(console)
    await console.write(b"tester\r")
    assert await until_quiet(console) == b""
    await lab.dataplane.freeze("g1", False)
    await expect(console, b"Password: ")


async def ssh_gives_output_and_status(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    async with lab.ssh("p1") as ssh:
        result = await ssh.run("whoami; echo err >&2; exit 5")
        assert (result.stdout, result.stderr, result.exit_status) == ("tester\n", "err\n", 5)
        assert (await ssh.run("cat", input="through\n")).stdout == "through\n"
        assert (await ssh.run("sudo -n whoami; sudo -u tester whoami")).stdout == "root\ntester\n"
        assert (await ssh.run("kill -9 $$")).exit_signal
        # A background process that keeps its output open does not hold the command.
        assert (await asyncio.wait_for(ssh.run("sleep 100 & echo started"), 5)).stdout == "started\n"
        assert (await ssh.run("echo $HOME $PWD $USER")).stdout == "/home/tester /home/tester tester\n"
        sizes = [len(str((await ssh.run(f"seq 1 {10_000 + n}")).stdout)) for n in range(5)]
        assert sizes == [sum(len(str(i)) + 1 for i in range(1, 10_001 + n)) for n in range(5)], "output was lost"


async def ssh_terminal_is_a_real_one(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    async with lab.ssh("p1") as ssh:
        process = await ssh.create_process(term_type="xterm", term_size=(100, 30))
        process.stdin.write("tty; stty size; echo $TERM; exit 3\n")
        output = await asyncio.wait_for(process.stdout.read(), 5)
        assert "/dev/pts/" in output
        assert "30 100" in output
        assert "xterm" in output
        await process.wait()
        assert process.exit_status == 3


async def ssh_by_key_with_the_host_key_that_was_given(lab: Lab) -> None:
    user, host = asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")
    private = "\n".join("    " + line for line in host.export_private_key().decode().splitlines())
    public = user.export_public_key().decode().strip()
    data = f"{USER_DATA}  ssh_authorized_keys: ['{public}']\nssh_keys:\n  ed25519_private: |\n{private}\n".replace(
        "ssh_pwauth: true", "ssh_pwauth: false"
    )
    await lab.guest(1, "node-1", user_data=data)
    known = asyncssh.import_known_hosts(f"* {host.export_public_key().decode()}")
    async with lab.ssh("p1", password=None, client_keys=[user], known_hosts=known) as ssh:
        assert (await ssh.run("whoami", check=True)).stdout == "tester\n"
    with pytest.raises(asyncssh.PermissionDenied):
        async with lab.ssh("p1"):
            pass


async def ssh_refuses_wrong_credentials(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    for options in ({"password": "wrong"}, {"username": "unknown-user"}, {"username": "root"}):
        with pytest.raises(asyncssh.PermissionDenied):
            async with lab.ssh("p1", **options):
                pass


async def ssh_files_can_be_copied(lab: Lab) -> None:
    await lab.guest(1, "node-1")
    async with lab.ssh("p1") as ssh, ssh.start_sftp_client() as files:
        async with files.open("/root/copied", "w") as file:
            await file.write("content")
        assert await lab.run("g1", "cat", "/root/copied") == "content"


async def file_server_ends_with_a_status(lab: Lab) -> None:
    """Without one, scp of a current OpenSSH fails after it has copied everything."""
    await lab.guest(1, "node-1")
    async with lab.ssh("p1") as ssh:
        process = await ssh.create_process(subsystem="sftp", encoding=None)
        # What a client says first, the file server's answer, and the end that a client makes.
        process.stdin.write((5).to_bytes(4, "big") + bytes([1]) + (3).to_bytes(4, "big"))
        size = int.from_bytes(await process.stdout.readexactly(4), "big")
        assert (await process.stdout.readexactly(size))[0] == 2
        process.stdin.write_eof()
        await asyncio.wait_for(process.wait_closed(), 5)
        assert process.exit_status == 0


async def scp_of_this_machine_copies_and_ends_well(lab: Lab) -> None:
    """OpenSSH's own client: since 9.0 it speaks SFTP."""
    user = asyncssh.generate_private_key("ssh-ed25519")
    public = user.export_public_key().decode().strip()
    await lab.guest(1, "node-1", user_data=f"{USER_DATA}  ssh_authorized_keys: ['{public}']\n")

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest = await lab.dataplane.dial("p1", 22, "tcp")
        guest.setblocking(False)
        inside, outside = await asyncio.open_connection(sock=guest)
        await asyncio.gather(_pipe(reader, outside), _pipe(inside, writer))

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    with tempfile.TemporaryDirectory() as folder:
        key, sent = _written(folder, "key", user.export_private_key()), _written(folder, "sent", b"content")
        quiet = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        options = [word for option in quiet for word in ("-o", option)]
        port = str(server.sockets[0].getsockname()[1])
        words = ["scp", "-F", "none", *options, "-i", str(key), "-P", port, str(sent), "tester@127.0.0.1:received"]
        scp = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE)
        _, said = await asyncio.wait_for(scp.communicate(), 20)
    server.close()
    assert scp.returncode == 0, said.decode()
    assert await lab.run("g1", "cat", "/home/tester/received") == "content"


def _written(folder: str, name: str, content: bytes) -> Path:
    path = Path(folder, name)
    path.touch(0o600)
    path.write_bytes(content)
    return path


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
