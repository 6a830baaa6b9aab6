# SPDX-License-Identifier: Apache-2.0
"""The lifecycle of a guest in QEMU: boots in its pod, migrates into another one's process, ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from emulator.dataplane.detour import Detour
from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.model import AgentReport, Console, GuestInterface, GuestNic, GuestSpec
from emulator.dataplane.pods import Pod
from emulator.dataplane.serial import SerialLine

from .berth import Berth
from .busybox import Image
from .machine import MachineError, MachineNic, MachineSpec, Qemu

log = logging.getLogger(__name__)

_REPORT_AGE = 1.5


class QemuGuest:
    """What ``emulator.dataplane.guest.Guest`` is for a guest in namespaces."""

    is_asleep = False

    def __init__(
        self,
        spec: GuestSpec,
        *,
        pod: Pod,
        image: Image,
        new_berth: Callable[[Pod], Berth],
        exited: asyncio.Event,
    ) -> None:
        self.spec = spec
        self.pod = pod
        self.exited = exited
        self._image = image
        self._new_berth = new_berth
        self._nics = {nic.name: nic for nic in spec.nics}
        # NICs that a migration has left without a connection.
        self._loose: list[GuestNic] = []
        self._line = SerialLine()
        self._machine: Qemu | None = None
        self._berth: Berth | None = None
        self._lock = asyncio.Lock()
        self._report: tuple[float, AgentReport] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._uuid = spec.firmware_uuid or str(uuid.uuid4())
        self._stands_still = False

    async def boot(self, *, lazily: bool = False) -> None:
        """Switch it on; returns once it runs. There are no lazy guests of this kind."""
        del lazily
        try:
            self._berth, nics = await self._berthed(self.pod, self._nics.values())
            machine = Qemu(self._machine_spec(nics))
            await machine.start()
            self._use(machine)
        except MachineError as error:
            raise DataPlaneError(f"guest {self.spec.name}: {error}") from error

    async def wake(self) -> None:
        """It is never asleep."""

    async def _berthed(
        self, pod: Pod, nics: Any, slots: Callable[[str], int] = lambda _: 0
    ) -> tuple[Berth, tuple[MachineNic, ...]]:
        berth = self._new_berth(pod)
        await berth.open()
        try:
            return berth, tuple([await berth.add(nic, slots(nic.name)) for nic in nics])
        except BaseException:
            await berth.close()
            raise

    def _machine_spec(self, nics: tuple[MachineNic, ...]) -> MachineSpec:
        seed = {"meta-data": f"instance-id: {self._uuid}\nlocal-hostname: {self.spec.hostname}\n"}
        seed["user-data"] = self.spec.user_data
        if self.spec.network_data:
            seed["network-config"] = self.spec.network_data
        return MachineSpec(self._image, self._uuid, nics, seed)

    def _use(self, machine: Qemu) -> None:
        self._machine = machine
        self._line.connect(machine.take_serial())
        self._watching = asyncio.create_task(self._watch(machine))

    async def _watch(self, machine: Qemu) -> None:
        why = await asyncio.shield(machine.ended)
        if machine is self._machine:
            log.info("guest %s ended: %s", self.spec.name, why)
            self.exited.set()
            self._line.drop_client()

    # -- migration ------------------------------------------------------------------------------------------------

    async def move(self, target: Pod, interfaces: dict[str, str]) -> None:
        """Live migration into a new process in the target pod; NICs that are not named have no connection there."""
        async with self._lock:
            source, old = self._running()
            if target is self.pod:
                return
            began = time.monotonic()
            known = {nic.name: nic for nic in (*self._nics.values(), *self._loose)}
            nics = {
                name: replace(nic, pod_interface=interfaces[name]) for name, nic in known.items() if name in interfaces
            }
            berth, machine_nics = await self._berthed(target, nics.values(), source.slot_of)
            # The machine that arrives must have the same devices.
            loose = [nic for name, nic in known.items() if name not in interfaces]
            machine_nics += tuple(berth.add_loose(nic, source.slot_of(nic.name)) for nic in loose)
            machine = Qemu(self._machine_spec(machine_nics))
            try:
                await machine.start(incoming=True)
                await source.migrate_to(machine)
            except BaseException as error:
                await machine.kill()
                await berth.close()
                if isinstance(error, MachineError):
                    raise DataPlaneError(f"guest {self.spec.name}: {error}") from error
                raise
            self._line.drop_client()
            left, self.pod, self._berth, self._nics, self._loose = self.pod, target, berth, nics, loose
            self._use(machine)
            left.cut_connections()
            await source.kill()
            await old.close()
            log.info("guest %s migrated in %.2f s", self.spec.name, time.monotonic() - began)

    # -- NICs -----------------------------------------------------------------------------------------------------

    async def plug(self, nic: GuestNic) -> None:
        async with self._lock:
            machine, berth = self._running()
            plugged = await berth.add(nic)
            try:
                await machine.plug(plugged)
            except MachineError as error:
                await berth.remove(nic.name)
                raise DataPlaneError(f"guest {self.spec.name}: {error}") from error
            self._nics[nic.name] = nic

    async def unplug(self, name: str) -> None:
        async with self._lock:
            machine, berth = self._running()
            if name not in self._nics:
                raise DataPlaneError(f"the guest has no NIC {name!r}; it has {', '.join(self._nics) or 'none'}")
            try:
                await machine.unplug(name)
            except MachineError as error:
                raise DataPlaneError(f"guest {self.spec.name}: {error}") from error
            await berth.remove(name)
            del self._nics[name]

    async def set_link(self, name: str, up: bool) -> None:
        async with self._lock:
            machine, berth = self._running()
            if name not in self._nics:
                raise DataPlaneError(f"the guest has no NIC {name!r}; it has {', '.join(self._nics) or 'none'}")
            self._nics[name] = replace(self._nics[name], link_up=up)
            await berth.set_link(name, up)
            with self._as_data_plane():
                await machine.set_link(name, up)

    async def divert(self, nic: str, detour: Detour) -> None:
        async with self._lock:
            _, berth = self._running()
            await berth.divert(nic, detour)

    # -- power ----------------------------------------------------------------------------------------------------

    async def halt(self, grace: float) -> None:
        machine = self._machine
        if machine and grace > 0 and not self.exited.is_set():
            with contextlib.suppress(MachineError):
                await machine.ask("system_powerdown")
            await machine.agent("guest-shutdown", within=0.5, mode="powerdown")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.exited.wait(), grace)
        if machine:
            await machine.kill()
        self.exited.set()
        self._line.disconnect()
        if self._berth:
            await self._berth.close()
            self._berth = None

    async def reboot(self) -> None:
        """The reset button; returns when it is pressed."""
        machine, _ = self._running()
        with self._as_data_plane():
            await machine.reset()
            if self._stands_still:
                self._stands_still = False
                await machine.pause(False)
        self._report = None

    async def crash(self) -> None:
        """The processor stands still for good: nothing answers any more, but the machine is not switched off."""
        self._stands_still = True
        with self._as_data_plane():
            await self._running()[0].pause(True)

    async def freeze(self, frozen: bool) -> None:
        async with self._lock:
            with self._as_data_plane():
                await self._running()[0].pause(frozen)

    async def run_inside(self, argv: list[str]) -> tuple[int, bytes]:
        with self._as_data_plane():
            return await self._running()[0].run(argv)

    # -- seen from outside ----------------------------------------------------------------------------------------

    def console(self) -> Console:
        if self.exited.is_set():
            raise DataPlaneError(f"guest {self.spec.name} has ended")
        return self._line.attach()

    async def report(self) -> AgentReport | None:
        """None while no agent answers."""
        now = asyncio.get_running_loop().time()
        if self._report and (now - self._report[0] < _REPORT_AGE or self._lock.locked()):
            return self._report[1]
        machine = self._machine
        if machine is None or self.exited.is_set() or self._stands_still:
            return None
        interfaces = await machine.agent("guest-network-get-interfaces")
        if machine is not self._machine:
            # It has moved meanwhile; the process that it left says nothing.
            return await self.report()
        if interfaces is None:
            self._report = None
            return None
        facts = self._report[1] if self._report else await self._facts(machine)
        report = replace(facts, interfaces=tuple(_interface(entry) for entry in interfaces))
        self._report = (asyncio.get_running_loop().time(), report)
        return report

    @staticmethod
    async def _facts(machine: Qemu) -> AgentReport:
        """What does not change while it runs."""
        name = await machine.agent("guest-get-host-name") or {}
        system = await machine.agent("guest-get-osinfo") or {}
        zone = await machine.agent("guest-get-timezone") or {}
        return AgentReport(
            hostname=name.get("host-name", ""),
            interfaces=(),
            os={
                "name": system.get("name", ""),
                "id": system.get("id", ""),
                "version": system.get("version", ""),
                "versionId": system.get("version-id", ""),
                "prettyName": system.get("pretty-name", ""),
                "kernelRelease": system.get("kernel-release", ""),
                "kernelVersion": system.get("kernel-version", ""),
                "machine": system.get("machine", ""),
            },
            timezone=f"{zone.get('zone', 'UTC')}, {zone.get('offset', 0)}",
        )

    def _running(self) -> tuple[Qemu, Berth]:
        if self._machine is None or self._berth is None or self.exited.is_set():
            raise DataPlaneError(f"guest {self.spec.name} does not run")
        return self._machine, self._berth

    @contextlib.contextmanager
    def _as_data_plane(self) -> Any:
        try:
            yield
        except (MachineError, TimeoutError) as error:
            raise DataPlaneError(f"guest {self.spec.name}: {error}") from error


def _interface(entry: dict[str, Any]) -> GuestInterface:
    addresses = tuple(f"{one['ip-address']}/{one['prefix']}" for one in entry.get("ip-addresses", ()))
    return GuestInterface(entry["name"], entry.get("hardware-address", "00:00:00:00:00:00"), addresses)
