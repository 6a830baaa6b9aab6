# SPDX-License-Identifier: Apache-2.0
"""What is run in a guest for a plugged NIC, tried here on the loopback interface with programs that only take notes."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from ipaddress import ip_interface
from pathlib import Path

import pytest
from livenad.model import CommandResult, Nic
from livenad.nic_hotplug.guest_nic import address_command, await_interface, await_no_interface

LOOPBACK = "00:00:00:00:00:00"
PLUGGED = Nic("plugged", LOOPBACK, "blue", (ip_interface("10.10.0.10/24"), ip_interface("fd00::10/64")))
NOTES = '#!/bin/sh\necho "$(basename "$0") $*" >>"{log}"\n'


class Looker:
    """A guest whose interfaces have these MACs at one look after the other."""

    name = "guest demo/web"

    def __init__(self, *macs: str) -> None:
        self._macs = list(macs)

    def run(self, command: str, timeout: float = 30, *, check: bool = True, repeatable: bool = False) -> CommandResult:
        mac = self._macs.pop(0) if len(self._macs) > 1 else self._macs[0]
        said = f"boot 6c0f\nuptime 1.0\nlink eth1 {mac} 1500 up 1\n"
        return CommandResult(command, 0, said, "", 0.0)

    def prepare(self, timeout: float = 30) -> None: ...

    def close(self) -> None: ...


def run_with(folder: Path, nic: Nic, **programs: str) -> tuple[list[str], int]:
    """What the programs took down, and the status; those that are not given do not exist."""
    log = folder / "log"
    log.touch()
    for name in ("id", "grep", "basename"):
        (folder / name).symlink_to(shutil.which(name) or name)
    for name, body in {"ip": "", "sudo": 'shift\nexec "$@"\n', **programs}.items():
        program = folder / name
        program.write_text((NOTES.format(log=log) if name != "sudo" else "#!/bin/sh\n") + body)
        program.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", address_command(nic)], env={"PATH": str(folder)}, capture_output=True, check=False
    )
    return log.read_text().splitlines(), done.returncode


def test_without_network_manager_the_addresses_are_set_by_ip(tmp_path: Path) -> None:
    told, status = run_with(tmp_path, PLUGGED)
    assert status == 0
    assert told == [
        "ip link set dev lo up",
        "ip -o addr show dev lo",
        "ip addr add 10.10.0.10/24 dev lo",
        "ip -o addr show dev lo",
        "ip addr add fd00::10/64 dev lo",
    ]


def test_an_address_that_is_there_is_not_set_again(tmp_path: Path) -> None:
    told, status = run_with(tmp_path, PLUGGED, ip='[ "$1" != -o ] || echo "1: lo inet 10.10.0.10/24 scope host"\n')
    assert status == 0
    assert [line for line in told if "add" in line.split()] == ["ip addr add fd00::10/64 dev lo"]


def test_network_manager_gets_a_profile(tmp_path: Path) -> None:
    told, status = run_with(tmp_path, PLUGGED, nmcli='[ "$1" != -t ] || echo running\n')
    assert status == 0
    assert told == [
        "nmcli -t -f RUNNING general",
        "nmcli -w 20 connection add type ethernet con-name plugged-lo ifname lo connection.autoconnect yes ipv4.method "
        "manual ipv4.addresses 10.10.0.10/24 ipv6.method manual ipv6.addresses fd00::10/64",
        "nmcli -w 20 connection up plugged-lo",
    ]


def test_network_manager_is_told_to_ask_for_no_address_of_a_family_without_one(tmp_path: Path) -> None:
    bare = replace(PLUGGED, addresses=PLUGGED.addresses[:1])
    told, _ = run_with(tmp_path, bare, nmcli='[ "$1" != -t ] || echo running\n')
    assert told[1].endswith("ipv4.method manual ipv4.addresses 10.10.0.10/24 ipv6.method link-local")


def test_a_network_manager_that_does_not_run_is_left_alone(tmp_path: Path) -> None:
    told, status = run_with(tmp_path, PLUGGED, nmcli='[ "$1" != -t ] || echo "not running"\n')
    assert status == 0
    assert "ip addr add 10.10.0.10/24 dev lo" in told


def test_a_nic_that_is_not_there_or_an_address_that_is_refused_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert run_with(tmp_path / "a", replace(PLUGGED, mac="02:ff:ff:ff:ff:ff")) == ([], 1)
    (tmp_path / "b").mkdir()
    assert run_with(tmp_path / "b", PLUGGED, ip='[ "$2" != add ] || exit 2\n')[1] == 2


def test_the_interface_is_awaited() -> None:
    found = await_interface(Looker("02:00:00:00:00:01", LOOPBACK), PLUGGED, 5)
    assert found is not None
    assert found.name == "eth1"
    assert await_interface(Looker("02:00:00:00:00:01"), PLUGGED, 0.1) is None


def test_its_going_is_awaited() -> None:
    assert await_no_interface(Looker(LOOPBACK, "02:00:00:00:00:01"), PLUGGED, 5) is None
    left = await_no_interface(Looker(LOOPBACK), PLUGGED, 0.1)
    assert left is not None
    assert left.mac == LOOPBACK


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_any_shell_can_read_the_command(shell: str) -> None:
    found = shutil.which(shell)
    if not found:
        pytest.skip(f"this machine has no {shell}")
    command = [found, "sh"] if shell == "busybox" else [found]
    assert subprocess.run([*command, "-n", "-c", address_command(PLUGGED)], check=False).returncode == 0
