# SPDX-License-Identifier: Apache-2.0
"""What is said where a machine lacks something, and how fast."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.dataplane import userns
from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.links import Links
from tests.emulator.dataplane import users


@pytest.mark.parametrize("user", users.USERS)
def test_this_machine_is_probed_quickly(user: str) -> None:
    code = (
        "import json, time; from emulator.dataplane import userns\n"
        "times, findings = [], []\n"
        "for _ in range(5):\n"
        "    began = time.process_time()\n"
        "    findings = userns.check_machine()\n"
        "    times.append(time.process_time() - began)\n"
        "print(json.dumps([min(times), [str(each) for each in findings if each.fatal]]))"
    )
    output, _ = users.start(user, "-c", code).communicate(timeout=30)
    seconds, fatal = json.loads(output)
    assert fatal == []
    assert seconds < 0.1


def test_probe_leaves_this_process_where_it_is() -> None:
    before = [(Path("/proc/self/ns") / kind).readlink() for kind in ("user", "mnt", "net", "pid")]
    userns.check_machine()
    assert [(Path("/proc/self/ns") / kind).readlink() for kind in ("user", "mnt", "net", "pid")] == before


def _refuse(number: int) -> Callable[[int], None]:
    def unshare(_flags: int) -> None:
        raise OSError(number, "refused")

    return unshare


@pytest.mark.parametrize(
    ("number", "sysctls", "remedy"),
    [
        (errno.EPERM, {"kernel/apparmor_restrict_unprivileged_userns": "1"}, "apparmor_restrict_unprivileged_userns=0"),
        (errno.EACCES, {"kernel/apparmor_restrict_unprivileged_userns": "1"}, "sudo sysctl -w kernel.apparmor"),
        (errno.EPERM, {"kernel/unprivileged_userns_clone": "0"}, "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        (errno.ENOSPC, {}, "sudo sysctl -w user.max_user_namespaces=10000"),
        (errno.EINVAL, {}, "CONFIG_USER_NS=y"),
        (errno.EPERM, {}, "--security-opt seccomp=unconfined"),
    ],
)
def test_forbidden_user_namespaces_name_their_remedy(
    number: int, sysctls: dict[str, str], remedy: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for key, value in sysctls.items():
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_text(value + "\n")
    monkeypatch.setattr(userns, "_SYSCTL", tmp_path)
    monkeypatch.setattr(userns, "unshare", _refuse(number))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    # A thread that another test has left behind is no matter here.
    monkeypatch.setattr("threading.active_count", lambda: 1)
    first = userns.check_machine()[0]
    assert first.fatal
    assert first.name == "user-namespaces"
    assert remedy in first.remedy
    assert "\n" not in str(first)
    with pytest.raises(DataPlaneError, match="user namespaces are not permitted"):
        userns.enter()
    with pytest.raises(DataPlaneError, match="the embedded cluster cannot run here: user namespaces"):
        userns.require_machine()


def test_missing_programs_name_their_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    findings = {finding.name: finding for finding in userns.check_machine()}
    assert "apt-get install iproute2" in str(findings["iproute2"])
    assert findings["iproute2"].fatal
    assert "apt-get install iputils-ping" in str(findings["ping"])
    assert findings["ping"].fatal, "a stand-in would be slower than the tests expect"


def test_loopback_that_is_down_is_named() -> None:
    """In a network namespace of its own, whose loopback is still down."""
    code = "from emulator.dataplane import userns; print(*userns.check_machine(), sep='\\n')"
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", code]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    assert told.splitlines()[0].startswith("nothing reaches 127.0.0.1, where the API server listens")
    assert "ip link set lo up" in told


def test_machine_without_ipv6_is_told_and_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    without_ipv6(monkeypatch)
    (finding,) = [finding for finding in userns.check_machine() if finding.name == "ipv6"]
    assert not finding.fatal
    assert "no IPv6" in finding.message


def without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a kernel that was booted with ipv6.disable=1 answers."""
    real = socket.socket

    def make(family: int = socket.AF_INET, *arguments: Any, **more: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(family, *arguments, **more)

    monkeypatch.setattr(socket, "socket", make)


@pytest.mark.parametrize(
    ("call", "name", "remedy"),
    [("translate", "nf_tables", "modprobe nf_tables"), ("mount", "user-namespaces", "security-opt")],
)
def test_missing_kernel_parts_name_their_remedy(
    call: str, name: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(errno.EPERM, "refused")

    monkeypatch.setattr(userns, call, fail)
    findings = {finding.name: finding for finding in userns.check_machine()}
    assert remedy in findings[name].remedy


@pytest.mark.parametrize(("kind", "name"), [("veth", "veth"), ("bridge", "bridge")])
def test_missing_devices_name_their_module(kind: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(Links, f"add_{kind}", fail)
    findings = {finding.name: finding for finding in userns.check_machine()}
    assert str(findings[name]).endswith(f"load the module: modprobe {name}")


def test_not_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    (finding,) = userns.check_machine()
    assert "needs Linux, this is darwin" in str(finding)


def test_userns_must_be_entered_before_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.active_count", lambda: 2)
    with pytest.raises(RuntimeError, match="before the first thread"):
        userns.enter()
