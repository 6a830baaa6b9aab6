# SPDX-License-Identifier: Apache-2.0
"""Times commands in a guest: the library's two ways, and the peers' two on the same guest."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from GuestLibrary.commands import Via
from KubeVirtLibrary.base import SESSION
from livenad.model import VmRecord
from robot.libraries.BuiltIn import BuiltIn

from tests.benchmarks.peers.environment import HERE, peer_python

SUBRESOURCES = "/apis/subresources.kubevirt.io/v1/namespaces/{}/virtualmachineinstances/{}/{}"


class Commands:
    """Keywords of commands.robot; ``figures`` maps a figure's name to seconds."""

    ROBOT_LIBRARY_SCOPE = "SUITE"

    def __init__(self) -> None:
        self.figures: dict[str, list[float]] = {}

    def time_guest_commands(self, vm: str, via: Via, count: int) -> None:
        """By the keyword, on a session that stands."""
        guests: Any = BuiltIn().get_library_instance("GuestLibrary")
        run_in_guest = guests.keywords["Run In Guest"]
        run_in_guest(vm, "true", via=via)
        seconds = []
        for number in range(count):
            start = time.monotonic()
            result = run_in_guest(vm, f"echo {number}", via=via)
            seconds.append(time.monotonic() - start)
            if result.stdout.strip() != str(number):
                raise AssertionError(f"command {number} answered {result.stdout!r}")
        self.figures[f"over {via}"] = seconds

    def time_ssh_processes(self, vm: str, count: int) -> None:
        """A new ``ssh`` process a command, through a port-forward process of its own."""
        record = _record(vm)
        forward = f"{peer_python()} {HERE / 'stream.py'} {os.environ['KUBECONFIG']} {_path(record, 'portforward/22')}"
        with tempfile.TemporaryDirectory() as folder:
            key, hosts = Path(folder) / "key", Path(folder) / "hosts"
            key.touch(mode=0o600)
            key.write_text(record.login.private_key, encoding="utf-8")
            hosts.write_text(f"{vm} {record.login.host_public_key}\n", encoding="utf-8")
            options = [
                f"ProxyCommand={forward}",
                f"UserKnownHostsFile={hosts}",
                "StrictHostKeyChecking=yes",
                "BatchMode=yes",
            ]
            words = [word for option in options for word in ("-o", option)]
            command = ["ssh", "-F", "none", "-i", str(key), *words, f"{record.login.user}@{vm}", "echo"]
            seconds = []
            for number in range(count):
                start = time.monotonic()
                done = subprocess.run([*command, str(number)], capture_output=True, text=True, check=False)
                seconds.append(time.monotonic() - start)
                if done.stdout.strip() != str(number):
                    raise AssertionError(f"command {number} answered {done.stdout!r} {done.stderr!r}")
        self.figures["peers: an ssh process and a port-forward a command"] = seconds

    def time_console_logins(self, vm: str, count: int) -> None:
        """A console process a command, with login and logout, driven by pexpect."""
        record = _record(vm)
        program = [peer_python(), str(HERE / "console_commands.py"), os.environ["KUBECONFIG"]]
        done = subprocess.run(
            [*program, _path(record, "console"), record.login.user, str(count)],
            env={**os.environ, "GUEST_PASSWORD": record.login.password},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(done.stderr[-2000:])
        self.figures["peers: a console login and logout a command"] = [float(line) for line in done.stdout.split()]

    def write_figures(self, path: str) -> None:
        Path(path).write_text(json.dumps(self.figures), encoding="utf-8")


def _record(vm: str) -> VmRecord:
    assert SESSION.run is not None, "no cluster is open"
    return SESSION.run.require_suite().vms[vm]


def _path(record: VmRecord, subresource: str) -> str:
    return SUBRESOURCES.format(record.namespace, record.name, subresource)
