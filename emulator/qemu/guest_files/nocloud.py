# SPDX-License-Identifier: Apache-2.0
"""Runs in a BusyBox guest: sets it up by its cloud-init disk (NoCloud). ``boot``, ``commands`` or ``nic NAME``."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, "/usr/lib/nocloud")

from emulator.guest.accounts import Account, crypt
from emulator.guest.cloudconfig import CloudConfig, read_user_data
from emulator.guest.netconfig import Ethernet, read_network_data
from emulator.guest.spec import BootNic

_SEED = Path("/run/seed")
_NETWORK = Path("/sys/class/net")
_FINISHED = Path("/var/lib/cloud/instance/boot-finished")
_DHCP = ("udhcpc", "-q", "-n", "-t", "20", "-T", "1", "-s", "/etc/udhcpc.script", "-i")
_FIRST_USER = 1000


def _run(*words: str, text: str | None = None) -> bool:
    done = subprocess.run(words, input=text, text=True, capture_output=True, check=False)
    if done.returncode:
        _say(f"{shlex.join(words)}: status {done.returncode} {done.stderr.strip()}")
    return done.returncode == 0


def _say(line: str) -> None:
    print(f"nocloud[{os.getpid()}]: {line}", flush=True)


def _read(name: str) -> str:
    path = _SEED / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _boot() -> None:
    _SEED.mkdir(exist_ok=True)
    device = subprocess.run(["findfs", "LABEL=CIDATA"], capture_output=True, text=True, check=False).stdout.strip()
    if device:
        _run("mount", "-t", "vfat", "-o", "ro", device, str(_SEED))
    config = read_user_data(_read("user-data"))
    for complaint in config.complaints:
        _say(complaint)
    hostname = config.hostname or _value(_read("meta-data"), "local-hostname") or "guest"
    Path("/etc/hostname").write_text(f"{hostname}\n", encoding="utf-8")
    Path("/etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {hostname}\n::1 localhost\n", encoding="utf-8")
    _run("hostname", hostname)
    _network(path.name for path in _NETWORK.iterdir() if path.name != "lo")
    _accounts(config)
    _ssh(config)
    _script("bootcmd", config.boot_commands)
    for file in config.files:
        path = Path(file.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab" if file.append else "wb") as stream:
            stream.write(file.content)
        path.chmod(file.mode)


def _value(text: str, key: str) -> str:
    """A value of a text with one ``key: value`` a line."""
    return next((line.partition(":")[2].strip(" \"'") for line in text.splitlines() if line.startswith(f"{key}:")), "")


def _network(names: Iterable[str]) -> None:
    """Configures these NICs by the disk's data; without any the first one takes its address by DHCP."""
    entries = read_network_data(_read("network-config"), _say)
    for number, name in enumerate(sorted(names)):
        nic = BootNic(name, (_NETWORK / name / "address").read_text(encoding="ascii").strip())
        chosen = Ethernet(key=name, dhcp4=number == 0)
        if entries is not None:
            chosen = next((entry for entry in entries if entry.fits(nic)), Ethernet(key=name))
        _configure(name, chosen)


def _configure(device: str, entry: Ethernet) -> None:
    if entry.new_name and entry.new_name != device and _run("ip", "link", "set", device, "name", entry.new_name):
        device = entry.new_name
    if entry.mtu:
        _run("ip", "link", "set", device, "mtu", str(entry.mtu))
    _run("ip", "link", "set", device, "up")
    for address in entry.addresses:
        _run("ip", "addr", "add", address, "dev", device)
    if entry.dhcp4:
        _run(*_DHCP, device)
    for route in entry.routes:
        _run("ip", "route", "add", str(route["to"]), "via", str(route["via"]), "dev", device)


def _accounts(config: CloudConfig) -> None:
    number = _FIRST_USER
    secrets = ["root:*:19000:0:99999:7:::"]
    for account in config.accounts:
        hashed = account.hashed
        if account.password:
            hashed = crypt(account.password, f"$6${os.urandom(6).hex()}$")
        secret = f"{'!' if account.locked else ''}{hashed or '*'}:19000:0:99999:7:::"
        if account.name == "root":
            secrets[0] = f"root:{secret}"
            _home(account, 0)
            continue
        shell = account.shell if Path(account.shell or "/none").exists() else "/bin/sh"
        _append("/etc/passwd", f"{account.name}:x:{number}:{number}:{account.gecos}:{account.directory}:{shell}")
        _append("/etc/group", f"{account.name}:x:{number}:")
        secrets.append(f"{account.name}:{secret}")
        if account.sudo:
            _append("/etc/sudoers", f"{account.name} ALL=(ALL) NOPASSWD:ALL")
        _home(account, number)
        number += 1
    Path("/etc/shadow").write_text("".join(f"{line}\n" for line in secrets), encoding="ascii")


def _home(account: Account, number: int) -> None:
    home = Path(account.directory)
    keys = home / ".ssh" / "authorized_keys"
    keys.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    keys.write_text("".join(f"{key.strip()}\n" for key in account.keys), encoding="utf-8")
    keys.chmod(0o600)
    for path in (home, keys.parent, keys):
        os.chown(path, number, number)


def _append(path: str, line: str) -> None:
    with Path(path).open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")


def _ssh(config: CloudConfig) -> None:
    options = [] if config.password_logins else ["-s"]
    if private := config.host_keys.get("ed25519_private"):
        source, key = Path("/run/host_key"), Path("/etc/dropbear/dropbear_ed25519_host_key")
        source.write_text(private, encoding="utf-8")
        source.chmod(0o600)
        if _run("dropbearconvert", "openssh", "dropbear", str(source), str(key)):
            options += ["-r", str(key)]
    Path("/run/dropbear.options").write_text(" ".join(options), encoding="utf-8")


def _script(name: str, commands: list[str | list[str]]) -> None:
    if commands:
        lines = [command if isinstance(command, str) else shlex.join(command) for command in commands]
        path = Path("/run") / name
        path.write_text("#!/bin/sh\n" + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        subprocess.run(["sh", str(path)], stdin=subprocess.DEVNULL, check=False)


def _commands() -> None:
    _script("runcmd", read_user_data(_read("user-data")).commands)
    _FINISHED.parent.mkdir(parents=True, exist_ok=True)
    _FINISHED.write_text(f"{time.time()}\n", encoding="ascii")
    _say(f"finished, up {time.clock_gettime(time.CLOCK_BOOTTIME):.1f} seconds")


def main(words: list[str]) -> None:
    match words:
        case ["boot"]:
            _boot()
        case ["commands"]:
            _commands()
        case ["nic", name] if (_NETWORK / name).exists():
            _network([name])


main(sys.argv[1:])
