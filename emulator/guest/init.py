# SPDX-License-Identifier: Apache-2.0
"""Process 1 of a guest: boots it, runs its login, SSH server and guest agent, and shuts it down."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Coroutine
from typing import Any, NoReturn

from emulator.dataplane.links import Links
from emulator.dataplane.netns import set_kernel
from emulator.dataplane.syscalls import die_with_parent
from emulator.guest import accounts, channel, getty, identity, rootfs, sessions, sshd
from emulator.guest.bootlog import BootLog
from emulator.guest.cloudconfig import CloudConfig, read_user_data
from emulator.guest.cloudinit import CloudInit
from emulator.guest.hardware import Hardware
from emulator.guest.spec import BootSpec, spec_from

EXIT_OFF = 0
EXIT_REBOOT = 64
_FAILED = 70
# systemd's signals for process 1.
_POWER_OFF_SIGNAL, _REBOOT_SIGNAL = 38, 39
_UPTIME_STEP = 0.2
_SHUTDOWN_SECONDS = 0.2


def main(end: socket.socket, *, own_clock: bool) -> NoReturn:
    """Becomes the guest. The data plane is at the other end of the channel."""
    status = _FAILED
    try:
        die_with_parent(signal.SIGKILL)
        received = channel.receive(end)
        if received:
            spec = spec_from(received[0]["spec"])
            socket.sethostname(spec.hostname)
            master = rootfs.build(spec.read_only_paths, spec.boot_id)
            log = BootLog(rootfs.SERIAL_LINE)
            channel.send(end, {"event": "serial"}, (master,))
            os.close(master)
            status = asyncio.run(_Guest(end, spec, log).run(own_clock=own_clock))
    except BaseException:
        traceback.print_exc(file=sys.stderr)
        with contextlib.suppress(OSError):
            sys.stderr.flush()
    os._exit(status)


class _Guest:
    def __init__(self, end: socket.socket, spec: BootSpec, log: BootLog) -> None:
        self._end = end
        self._spec = spec
        self._log = log
        self._processes = sessions.Processes()
        self._links = Links()
        self._power = asyncio.Event()
        self._status = EXIT_OFF
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, *, own_clock: bool) -> int:
        """Boots, and runs until the power is switched off; returns the exit status of process 1."""
        loop = asyncio.get_running_loop()
        self._processes.watch()
        loop.add_signal_handler(_POWER_OFF_SIGNAL, self._end_with, EXIT_OFF)
        loop.add_signal_handler(_REBOOT_SIGNAL, self._end_with, EXIT_REBOOT)
        if not own_clock:
            self._start(_count_uptime())
        self._start(self._boot())
        await self._power.wait()
        self._log.unit("Stopped", "ssh.service", "SSH server")
        self._log.unit("Reached target", "shutdown.target", "System Shutdown")
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGTERM)
        # Programs may write to the console until they end.
        await asyncio.sleep(_SHUTDOWN_SECONDS)
        self._log.kernel("reboot: Restarting system" if self._status == EXIT_REBOOT else "reboot: Power down")
        return self._status

    def _end_with(self, status: int) -> None:
        self._status = status
        self._power.set()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except Exception:
                self._log.text(traceback.format_exc())

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _boot(self) -> None:
        spec, log = self._spec, self._log
        log.start(spec.hostname)
        _set_kernel_defaults()
        self._links.change("lo", up=True)
        config = read_user_data(spec.user_data)
        hostname = config.hostname or spec.hostname
        socket.sethostname(hostname)
        identity.write_files(hostname, config.fqdn)
        identity.install_programs()
        accounts.create(config.accounts)
        log.unit("Reached target", "sysinit.target", "System Initialization")
        cloud = CloudInit(spec, config, log, self._processes)
        ethernets = cloud.configure_network(self._links)
        hardware = Hardware(self._end, self._links, self._processes, ethernets, log)
        hardware.on_power_button = lambda: self._end_with(EXIT_OFF)
        hardware.on_gone = lambda: os._exit(_FAILED)
        hardware.listen()
        log.unit("Started", "qemu-guest-agent.service", "Guest Agent")
        await cloud.run_boot_commands()
        cloud.write_files()
        users = {account.name: account for account in config.accounts}
        await self._start_ssh(config, users)
        self._start(self._serve_console(users))
        await cloud.run_commands()

    async def _start_ssh(self, config: CloudConfig, users: dict[str, accounts.Account]) -> None:
        complaints: list[str] = []
        keys = sshd.host_keys(config.host_keys, self._spec.host_key_seed, complaints)
        for complaint in complaints:
            self._log.cloud_init(complaint)
        server = sshd.SshServer(users, self._processes, password_logins=config.password_logins)
        await server.listen(keys)
        self._log.unit("Started", "ssh.service", "SSH server")

    async def _serve_console(self, users: dict[str, accounts.Account]) -> None:
        """Keeps a login prompt on the serial line, as init does with its getty."""
        self._log.unit("Started", "serial-getty@ttyS0.service", "Serial Getty on ttyS0")
        self._log.unit("Reached target", "multi-user.target", "Multi-User System")
        while not self._power.is_set():
            began = time.monotonic()
            child = os.fork()
            if not child:
                getty.serve(users, identity.issue(), self._spec.login_delay)
            await self._processes.ended(child)
            if time.monotonic() - began < _UPTIME_STEP:
                # The line is broken: do not retry in a tight loop.
                await asyncio.sleep(1)


def _set_kernel_defaults() -> None:
    """Resets values that the kernel copies from the host to a new namespace to the kernel's own defaults."""
    for scope in ("all", "default"):
        for key in ("arp_ignore", "arp_announce", "rp_filter", "arp_filter", "arp_notify"):
            set_kernel(f"net/ipv4/conf/{scope}/{key}", "0")
        set_kernel(f"net/ipv6/conf/{scope}/disable_ipv6", "0")
    set_kernel("net/ipv4/ip_forward", "0")
    set_kernel("net/ipv4/ping_group_range", "0 0")


async def _count_uptime() -> None:
    """Keeps a file in the place of /proc/uptime up to date, if the kernel has no time namespaces."""
    began = time.monotonic()
    file = os.open(rootfs.override_proc("uptime", "0.00 0.00\n"), os.O_WRONLY)
    while True:
        # Written in one piece over the old text, so that no reader finds an empty file.
        os.pwrite(file, f"{time.monotonic() - began:.2f} 0.00\n".encode(), 0)
        await asyncio.sleep(_UPTIME_STEP)
