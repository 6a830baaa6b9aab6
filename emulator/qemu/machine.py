# SPDX-License-Identifier: Apache-2.0
"""One QEMU process: a machine from power-on, or from the arrival of a guest that migrates, to its end."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..cluster_process import parent_death
from .accelerator import accelerator
from .busybox import Image
from .qmp import Dialogue, QmpError

_FIRST_SLOT = 0x10
_QUIET = "console=ttyS0,115200 quiet loglevel=3"
# What only costs time in a guest without a past, or without its own processor.
_OTHERS = (
    "panic=-1 mitigations=off nokaslr random.trust_cpu=on tsc=unstable net.ifnames=0 cryptomgr.notests audit=0 "
    "apparmor=0 nowatchdog rcupdate.rcu_expedited=1"
)
_TRANSLATED = 128
"""MiB for translated code; QEMU takes up to a gigabyte for each guest else."""
_MIGRATION_LIMIT = 60.0
_BANDWIDTH, _DOWNTIME = 1 << 33, 300
"""Bytes a second, and milliseconds in which the rest must be copied."""
_AGENT_POLL = 0.05


class MachineError(Exception):
    """The machine could not be started, or did not do what it was told."""


@dataclass(frozen=True)
class MachineNic:
    """A NIC on QEMU's own network of one user; ``forward`` is a port of this machine that leads to its port 22."""

    name: str
    mac: str
    forward: int


@dataclass(frozen=True)
class MachineSpec:
    """``uuid`` and ``seed`` (the files of its NoCloud disk by name) stay the same over reboots and migrations."""

    image: Image
    uuid: str
    nics: tuple[MachineNic, ...]
    seed: dict[str, str] = field(default_factory=dict)
    command_line: str = _QUIET


class Qemu:
    """``ended`` tells why, once it has."""

    def __init__(self, spec: MachineSpec) -> None:
        self.spec = spec
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._serial: socket.socket | None = None
        self.panicked = False
        self._process: asyncio.subprocess.Process | None = None
        self._monitor: Dialogue | None = None
        self._agent: Dialogue | None = None
        self._why = ""
        self._folder = ""
        self._migrated: asyncio.Future[str] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._agent_synchronised = False

    async def start(self, *, incoming: bool = False) -> None:
        """Switches it on, or lets it wait for a guest that arrives. MachineError with QEMU's own words."""
        self._folder = tempfile.mkdtemp(prefix="embedded-seed-")
        monitor, serial, agent = (socket.socketpair() for _ in range(3))
        far = [one[1].fileno() for one in (monitor, serial, agent)]
        self._monitor, self._serial, self._agent = Dialogue(monitor[0]), serial[0], Dialogue(agent[0])
        words = [*self._words(*far), *(["-incoming", "defer"] if incoming else [])]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-ISs", parent_death.__file__, str(os.getpid()), str(int(signal.SIGKILL)),
            self.spec.image.program, *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, pass_fds=far,
        )  # fmt: skip
        for one in (monitor, serial, agent):
            one[1].close()
        self._watching = asyncio.create_task(self._watch())
        try:
            await self._monitor.open(self._on_event)
            await self._agent.open()
            await self._monitor.ask("qmp_capabilities")
        except QmpError:
            raise MachineError(f"QEMU ended at its start: {await self.ended}") from None

    def _words(self, monitor: int, serial: int, agent: int) -> list[str]:
        image = self.spec.image
        kind = accelerator(image.kernel)
        words = [
            "-nodefaults", "-no-user-config", "-display", "none",
            "-machine", "pc,usb=off,vmport=off", "-smp", "1", "-m", str(image.memory),
            "-accel", kind + (f",thread=single,tb-size={_TRANSLATED}" if kind == "tcg" else ""),
            "-cpu", "host" if kind == "kvm" else "Nehalem",
            "-uuid", self.spec.uuid, "-kernel", str(image.kernel), "-initrd", str(image.initrd),
            "-append", f"{self.spec.command_line} {_OTHERS}", "-rtc", "base=utc",
            "-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=control",
            "-chardev", f"socket,id=line,fd={serial}", "-serial", "chardev:line",
            "-chardev", f"socket,id=agent,fd={agent}",
            "-device", "virtio-serial-pci,id=ports,addr=0x5",
            "-device", "virtserialport,bus=ports.0,chardev=agent,name=org.qemu.guest_agent.0",
            "-device", "virtio-rng-pci,addr=0x6", "-device", "pvpanic",
            "-action", "panic=none,reboot=reset",
        ]  # fmt: skip
        if self.spec.seed:
            words += self._seed_disk()
        for number, nic in enumerate(self.spec.nics):
            device = f"virtio-net-pci,netdev=net-{nic.name},mac={nic.mac},addr={_FIRST_SLOT + number:#x},romfile="
            words += ["-netdev", f"user,id=net-{nic.name},hostfwd=tcp:127.0.0.1:{nic.forward}-:22", "-device", device]
        return words

    def _seed_disk(self) -> list[str]:
        for name, text in self.spec.seed.items():
            (Path(self._folder) / name).write_text(text, encoding="utf-8")
        disk = f"driver=vvfat,node-name=seed,read-only=on,label=CIDATA,dir={self._folder}"
        return ["-blockdev", disk, "-device", "virtio-blk-pci,drive=seed,addr=0x7"]

    async def _watch(self) -> None:
        said = ""
        if self._process and self._process.stderr:
            said = (await self._process.stderr.read()).decode(errors="replace").strip()
            await self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        if not self.ended.done():
            self.ended.set_result(self._why or (said.splitlines() or ["killed"])[-1])

    def _on_event(self, name: str, data: dict[str, Any]) -> None:
        match name:
            case "SHUTDOWN":
                self._why = str(data.get("reason", "off"))
            case "GUEST_PANICKED":
                self.panicked = True
            case "RESET":
                self._agent_synchronised = False
            case "MIGRATION" if self._migrated and not self._migrated.done():
                if data.get("status") in ("completed", "failed", "cancelled"):
                    self._migrated.set_result(data["status"])

    def take_serial(self) -> int:
        """The other end of the guest's serial line, which the caller owns from now on."""
        if self._serial is None:
            raise MachineError("the machine is not switched on")
        return self._serial.detach()

    async def ask(self, command: str, descriptor: int = -1, **arguments: Any) -> Any:
        """One QMP command. MachineError with QEMU's words."""
        if not self._monitor:
            raise MachineError("the machine is not switched on")
        try:
            return await self._monitor.ask(command, descriptor, **arguments)
        except QmpError as error:
            raise MachineError(f"{command}: {error}") from None

    # -- the guest's agent ----------------------------------------------------------------------------------------

    async def agent(self, command: str, *, within: float = 2.0, **arguments: Any) -> Any:
        """The agent's answer; None where it does not answer in time, or knows no such command."""
        if not self._agent or self.ended.done():
            return None
        try:
            async with asyncio.timeout(within):
                if not self._agent_synchronised:
                    await self._agent.synchronise()
                    self._agent_synchronised = True
                return await self._agent.ask_guest(command, **arguments)
        except TimeoutError:
            self._agent_synchronised = False
            return None
        except QmpError:
            return None

    async def run(self, argv: Sequence[str], within: float = 30.0) -> tuple[int, bytes]:
        """Runs a program in the guest by its agent: status, and both outputs. MachineError without an answer."""
        async with asyncio.timeout(within):
            begun = await self.agent("guest-exec", within=within, path=argv[0], arg=list(argv[1:]), capture_output=True)
            if begun is None:
                raise MachineError("no agent in the guest runs commands")
            while True:
                state = await self.agent("guest-exec-status", within=within, pid=begun["pid"])
                if state is None:
                    raise MachineError("the agent fell silent")
                if state["exited"]:
                    break
                await asyncio.sleep(_AGENT_POLL)
        output = b"".join(base64.b64decode(state.get(name, "")) for name in ("out-data", "err-data"))
        return int(state.get("exitcode", 128 + state.get("signal", 0))), output

    # -- migration ------------------------------------------------------------------------------------------------

    async def migrate_to(self, target: Qemu) -> None:
        """Live migration into a machine that waits for it; this one has stopped afterwards, and holds no guest."""
        here, there = socket.socketpair()
        with here, there:
            await target.ask("getfd", there.fileno(), fdname="arrival")
            await self.ask("getfd", here.fileno(), fdname="departure")
        arrived = target._migrated = asyncio.get_running_loop().create_future()
        left = self._migrated = asyncio.get_running_loop().create_future()
        for machine in (target, self):
            capabilities = [{"capability": "events", "state": True}]
            await machine.ask("migrate-set-capabilities", capabilities=capabilities)
        await self.ask("migrate-set-parameters", max_bandwidth=_BANDWIDTH, downtime_limit=_DOWNTIME)
        ran = (await self.ask("query-status"))["running"]
        try:
            await target.ask("migrate-incoming", uri="fd:arrival")
            await self.ask("migrate", uri="fd:departure")
            async with asyncio.timeout(_MIGRATION_LIMIT):
                for way in (left, arrived):
                    if (status := await way) != "completed":
                        raise MachineError(f"the migration {status}")
        except (MachineError, TimeoutError) as error:
            await self._stay(ran)
            if isinstance(error, MachineError):
                raise
            raise MachineError(f"the migration did not end within {_MIGRATION_LIMIT:.0f} s") from None

    async def _stay(self, ran: bool) -> None:
        """After a migration that failed the guest goes on here."""
        await self.ask("migrate_cancel")
        if ran and not (await self.ask("query-status"))["running"]:
            await self.ask("cont")

    # -- power ----------------------------------------------------------------------------------------------------

    async def pause(self, paused: bool) -> None:
        await self.ask("stop" if paused else "cont")

    async def reset(self) -> None:
        """The reset button."""
        self._agent_synchronised = False
        await self.ask("system_reset")

    async def kill(self) -> None:
        """Ends the process; returns when it is gone."""
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        if self._watching:
            await asyncio.wait({self._watching})
        self.close()

    def close(self) -> None:
        """Releases what belongs to a machine that has ended; the serial line is the caller's."""
        for dialogue in (self._monitor, self._agent):
            if dialogue:
                dialogue.close()


def free_port() -> int:
    """A port of this machine that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
