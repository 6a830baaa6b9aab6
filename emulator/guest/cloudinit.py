# SPDX-License-Identifier: Apache-2.0
"""cloud-init's stages: network, boot commands, files, commands; and its output on the console."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path

from emulator.dataplane.links import Links
from emulator.guest import accounts, netconfig, sessions
from emulator.guest.bootlog import BootLog
from emulator.guest.cloudconfig import CloudConfig, File
from emulator.guest.rootfs import SERIAL_LINE
from emulator.guest.spec import BootSpec

_INSTANCE = Path("/var/lib/cloud/instance")
_ROOT = accounts.Account("root", home="/root")


class CloudInit:
    """Applies one guest's NoCloud data."""

    def __init__(self, spec: BootSpec, config: CloudConfig, log: BootLog, processes: sessions.Processes) -> None:
        self._spec = spec
        self._config = config
        self._log = log
        self._processes = processes
        _INSTANCE.mkdir(parents=True, exist_ok=True)
        (_INSTANCE / "user-data.txt").write_text(spec.user_data, encoding="utf-8")
        (_INSTANCE / "network-config").write_text(spec.network_data, encoding="utf-8")
        (_INSTANCE / "instance-id").write_text(spec.instance_id + "\n", encoding="utf-8")

    def configure_network(self, links: Links) -> list[netconfig.Ethernet] | None:
        """Configures the network; returns the network data for NICs that are plugged in later."""
        self._say_stage("init")
        ethernets = netconfig.read_network_data(self._spec.network_data, self._log.cloud_init)
        nics = list(self._spec.nics)
        netconfig.write_resolv_conf(netconfig.configure(nics, ethernets, links, self._log.cloud_init))
        addresses = links.addresses()
        self._log.network(
            f"{link.name}: {'up' if link.up else 'down'} {link.mac} {' '.join(addresses.get(link.index, []))}".rstrip()
            for link in links.all()
        )
        for complaint in self._config.complaints:
            self._log.cloud_init(complaint)
        self._log.unit("Reached target", "network.target", "Network")
        return ethernets

    async def run_boot_commands(self) -> None:
        if self._config.boot_commands:
            await self._run_script("bootcmd", self._config.boot_commands)

    def write_files(self) -> None:
        for file in self._config.files:
            self._write(file)

    def _write(self, file: File) -> None:
        try:
            path = Path(file.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab" if file.append else "wb") as stream:
                stream.write(file.content)
            path.chmod(file.mode)
        except OSError as error:
            self._log.cloud_init(f"write_files: {file.path} could not be written: {error.strerror}")

    async def run_commands(self) -> None:
        self._say_stage("modules:final")
        if self._config.commands:
            await self._run_script("runcmd", self._config.commands)
        (_INSTANCE / "boot-finished").write_text(f"{time.time()}\n", encoding="ascii")
        self._log.cloud_init(f"Cloud-init finished. Datasource NoCloud. Up {_uptime():.2f} seconds")

    async def _run_script(self, name: str, commands: list[str | list[str]]) -> None:
        """Runs the commands as one shell script, as cloud-init does; its output goes to the console and to its log."""
        lines = [command if isinstance(command, str) else shlex.join(command) for command in commands]
        script = _INSTANCE / "scripts" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text("#!/bin/sh\n" + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        script.chmod(0o700)
        nothing = os.open("/dev/null", os.O_RDONLY)
        line = os.open(SERIAL_LINE, os.O_WRONLY | os.O_NOCTTY)
        argv = ["sh", "-c", '"$0" 2>&1 | tee -a /var/log/cloud-init-output.log', str(script)]
        _, ended = self._processes.start(argv, _ROOT, sessions.environment(_ROOT), (nothing, line, line))
        os.close(nothing)
        os.close(line)
        await ended

    def _say_stage(self, stage: str) -> None:
        now = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
        self._log.cloud_init(f"Cloud-init running '{stage}' at {now}. Up {_uptime():.2f} seconds.")


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
