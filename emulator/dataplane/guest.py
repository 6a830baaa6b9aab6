# SPDX-License-Identifier: Apache-2.0
"""The lifecycle of a guest: boots and reboots in its pod, moves to another one, ends."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import secrets
import uuid
from typing import Any

from emulator.dataplane.detour import Detour
from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.forkserver import ForkServer, read_only_paths
from emulator.dataplane.guest_ports import GuestPorts
from emulator.dataplane.machine import Machine
from emulator.dataplane.model import AgentReport, Console, GuestInterface, GuestNic, GuestSpec
from emulator.dataplane.netns import Builder, Namespace
from emulator.dataplane.pods import Pod, Pods
from emulator.dataplane.serial import SerialLine
from emulator.dataplane.sleeping_guest import Ears, expected_report
from emulator.guest.spec import BootNic, BootSpec

_REPORT_AGE = 0.5
_AGENT_SECONDS = 1.0


class Guest:
    def __init__(
        self,
        spec: GuestSpec,
        *,
        pod: Pod,
        guest_ports: GuestPorts,
        builder: Builder,
        forkserver: ForkServer,
        exited: asyncio.Event,
    ) -> None:
        self.spec = spec
        self.pod = pod
        self.exited = exited
        self._guest_ports = guest_ports
        self._builder = builder
        self._forkserver = forkserver
        self._line = SerialLine()
        self._host_key_seed = secrets.token_hex(32)
        self._machine: Machine | None = None
        self._network: Namespace | None = None
        # What to do when this run of the guest ends: "" (what the guest asked for), "reboot", "crash" or "off".
        self._wanted = ""
        self._power_button = asyncio.Event()
        # Set while no process of the guest runs and none of its NICs answers.
        self._powered_down = asyncio.Event()
        self._boots = 0
        self._booted = asyncio.Condition()
        self._life: asyncio.Task[None] | None = None
        # Serialises changes of the NICs and of the machine's state.
        self._lock = asyncio.Lock()
        self._detours: list[Detour] = []
        self._report: tuple[float, AgentReport] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        # Until it is started: what wakes it, and what its agent will report.
        self._ears: Ears | None = None
        self._expected: AgentReport | None = None

    async def boot(self, *, lazily: bool = False) -> None:
        """Switch it on; ``lazily``: at the first look at it, or when a frame comes that it would answer."""
        for nic in self.spec.nics:
            await self._builder.run(lambda nic=nic: self._guest_ports.add(nic, self.pod))  # type: ignore[misc]
        if lazily:
            await self._sleep()
        else:
            await self._start()

    async def _start(self) -> None:
        self._life = asyncio.create_task(self._live())
        await self._until_boot(1)

    async def _sleep(self) -> None:
        nics = [
            self._boot_nic(f"eth{number}", port.nic) for number, port in enumerate(self._guest_ports.ports.values())
        ]
        self._expected = expected_report(self.spec, nics)
        by_mac = {interface.mac: interface for interface in self._expected.interfaces}
        repeaters = {port.repeater: by_mac[port.nic.mac.lower()] for port in self._guest_ports.ports.values()}
        self._ears = Ears(lambda: self._keep(asyncio.create_task(self.wake())))
        await self._ears.open(self._builder, self._guest_ports.namespace, repeaters)

    @property
    def is_asleep(self) -> bool:
        """Whether it was never started."""
        return self._expected is not None

    async def wake(self) -> None:
        """Start it if it was never started; returns once its first process runs."""
        if not self.is_asleep:
            if self._life and not self._boots:
                await self._until_boot(1)
            return
        self._forget_sleep()
        if not self.exited.is_set():
            await self._start()

    def _forget_sleep(self) -> None:
        self._expected = None
        if self._ears:
            self._ears.close()
            self._ears = None

    async def _live(self) -> None:
        try:
            while True:
                self._wanted = ""
                power = await self._run_once()
                if self._wanted == "crash":
                    await self._power_button.wait()
                wanted = self._wanted or power
                if wanted != "reboot":
                    return
        finally:
            self.exited.set()
            self._line.drop_client()
            async with self._booted:
                self._booted.notify_all()

    async def _run_once(self) -> str:
        """One boot until the end of the machine; returns how it ended."""
        machine = Machine()
        self._powered_down.clear()
        try:
            async with self._lock:
                descriptor = await machine.launch(self._forkserver.end)
                nics = await self._builder.run(lambda: self._connect(descriptor))
                self._line.connect(await machine.boot(self._boot_spec(nics)))
                self._machine = machine
            async with self._booted:
                self._boots += 1
                self._booted.notify_all()
            # While it was being launched it could not be ended.
            if self._wanted:
                await machine.kill()
            return await asyncio.shield(machine.ended)
        finally:
            await machine.kill()
            self._machine = None
            self._report = None
            self._line.disconnect()
            machine.close()
            await self._builder.run(self._disconnect)
            self._powered_down.set()

    async def _until_boot(self, number: int) -> None:
        """Returns once the guest has booted ``number`` times; how it ended if it did not get that far."""
        async with self._booted:
            await self._booted.wait_for(lambda: self._boots >= number or self.exited.is_set())
        if self._boots < number and self._life:
            await self._life
            raise DataPlaneError(f"guest {self.spec.name} ended before it had booted")

    def _connect(self, descriptor: int) -> list[BootNic]:
        self._network = self._builder.adopt(f"guest {self.spec.name}", descriptor)
        nics = []
        for port in self._guest_ports.ports.values():
            nics.append(self._boot_nic(self._guest_ports.plug_into(self._network, port.nic.name), port.nic))
        self._guest_ports.freeze(False)
        return nics

    def _boot_nic(self, device: str, nic: GuestNic) -> BootNic:
        lease = Pods.lease(self.pod, nic.pod_interface, nic.binding)
        return BootNic(device=device, mac=nic.mac.lower(), lease=lease)

    def _disconnect(self) -> None:
        self._guest_ports.unplug_all()
        if self._network:
            self._network.close()
            self._network = None

    def _boot_spec(self, nics: list[BootNic]) -> BootSpec:
        return BootSpec(
            hostname=self.spec.hostname,
            instance_id=self.spec.firmware_uuid,
            boot_id=str(uuid.uuid4()),
            nics=tuple(nics),
            user_data=self.spec.user_data,
            network_data=self.spec.network_data,
            read_only_paths=read_only_paths(),
            host_key_seed=self._host_key_seed,
        )

    async def move(self, target: Pod, interfaces: dict[str, str]) -> None:
        async with self._lock:
            source, loop = self.pod, asyncio.get_running_loop()
            macs = [self._guest_ports.port(name).nic.mac.lower() for name in interfaces]
            left_behind = [name for name in self._guest_ports.ports if name not in interfaces]

            def switched() -> None:
                loop.call_soon_threadsafe(self._announce, macs)

            def switch() -> None:
                for name in left_behind:
                    self._guest_ports.cut(name)
                self._guest_ports.move(target, interfaces, switched)

            await self._builder.run(switch)
            self.pod = target
            self._line.drop_client()
            if source is not target:
                source.cut_connections()
            self._keep(asyncio.create_task(self._builder.run(self._guest_ports.tidy)))

    def _announce(self, macs: list[str]) -> None:
        if self._machine and not self._machine.frozen:
            self._keep(asyncio.create_task(self._ask("announce", macs=macs)))

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, question: str, **details: Any) -> dict[str, Any] | None:
        """The guest's answer; None if it does not answer in time."""
        if not self._machine or self._machine.frozen:
            return None
        try:
            return await asyncio.wait_for(self._machine.ask(question, **details), _AGENT_SECONDS)
        except (TimeoutError, ConnectionError):
            return None

    async def plug(self, nic: GuestNic) -> None:
        await self.wake()
        async with self._lock:

            def connect() -> BootNic | None:
                if self.exited.is_set() or self._wanted == "off":
                    raise DataPlaneError(f"guest {self.spec.name} has ended or is about to")
                self._guest_ports.add(nic, self.pod)
                # Checked in the thread that closes it: a guest may end at any time.
                network = self._network
                return self._boot_nic(self._guest_ports.plug_into(network, nic.name), nic) if network else None

            plugged = await self._builder.run(connect)
            if plugged:
                await self._ask("nic", nic=dataclasses.asdict(plugged))

    async def unplug(self, name: str) -> None:
        await self.wake()
        async with self._lock:
            await self._builder.run(lambda: self._guest_ports.remove(name))

    async def set_link(self, name: str, up: bool) -> None:
        async with self._lock:
            await self._builder.run(lambda: self._guest_ports.set_link(name, up))

    async def divert(self, nic: str, detour: Detour) -> None:
        async with self._lock:
            port = self._guest_ports.port(nic)
            end = self._guest_ports.port(detour.nic_astray) if detour.how == "astray" else port
            device, onward = (port.uplink, end.socket) if detour.to_guest else (port.socket, end.uplink)
            await detour.open(self._builder, self._guest_ports.namespace, device, onward)
            self._detours.append(detour)

    async def halt(self, grace: float) -> None:
        self._wanted = "off"
        self._power_button.set()
        self._forget_sleep()
        if grace > 0 and await self._ask("power-button"):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.exited.wait(), grace)
        if self._machine:
            await self._machine.kill()
        if self._life:
            await asyncio.wait({self._life})
        self.exited.set()
        while self._detours:
            self._detours.pop().close()
        await self._builder.run(self._guest_ports.close)

    async def reboot(self) -> None:
        """Returns once the first process of the new boot runs."""
        if self.is_asleep:
            await self.wake()
            return
        next_boot = self._boots + 1
        self._wanted = "reboot"
        self._power_button.set()
        if self._machine:
            await self._machine.kill()
        await self._until_boot(next_boot)

    async def crash(self) -> None:
        """Ends every process; nothing answers any more, but the machine is not switched off."""
        await self.wake()
        if self._machine and not self._wanted:
            self._wanted = "crash"
            self._power_button.clear()
            await self._machine.kill()
            await self._powered_down.wait()

    async def freeze(self, frozen: bool) -> None:
        await self.wake()
        async with self._lock:
            machine = self._machine
            if not machine or machine.frozen == frozen:
                return
            loop = asyncio.get_running_loop()
            if frozen:
                self._line.freeze(True)
                await self._builder.run(lambda: self._guest_ports.freeze(True))
                await loop.run_in_executor(None, machine.freeze, True)
            else:
                await loop.run_in_executor(None, machine.freeze, False)
                await self._builder.run(lambda: self._guest_ports.freeze(False))
                self._line.freeze(False)

    async def run_inside(self, argv: list[str]) -> tuple[int, bytes]:
        await self.wake()
        if not self._machine:
            raise DataPlaneError(f"guest {self.spec.name} does not run")
        try:
            return await self._machine.run(argv)
        except ConnectionError as error:
            raise DataPlaneError(f"guest {self.spec.name} ended while {argv[0]} ran in it") from error

    def console(self) -> Console:
        if self.exited.is_set():
            raise DataPlaneError(f"guest {self.spec.name} has ended")
        return self._line.attach()

    async def report(self) -> AgentReport | None:
        if self._expected is not None:
            return self._expected
        now = asyncio.get_running_loop().time()
        if self._report and now - self._report[0] < _REPORT_AGE and self._machine and not self._machine.frozen:
            return self._report[1]
        answer = await self._ask("report")
        if answer is None:
            return None
        data = answer["report"]
        interfaces = [GuestInterface(i["name"], i["mac"], tuple(i["addresses"])) for i in data["interfaces"]]
        report = AgentReport(
            hostname=data["hostname"],
            interfaces=tuple(interfaces),
            os=data["os"],
            timezone=data["timezone"],
            users=tuple(data["users"]),
            filesystems=tuple(data["filesystems"]),
        )
        self._report = (now, report)
        return report
