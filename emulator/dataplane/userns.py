# SPDX-License-Identifier: Apache-2.0
"""Enters the user namespace in which the data plane is built, and checks beforehand whether this machine permits it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from emulator.dataplane.errors import DataPlaneError
from emulator.dataplane.links import Links
from emulator.dataplane.nat import translate
from emulator.dataplane.syscalls import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    MS_PRIVATE,
    MS_REC,
    map_only_root,
    mount,
    unshare,
)

_SYSCTL = Path("/proc/sys")
_LOOPBACK_SECONDS = 2.0


@dataclass(frozen=True)
class Finding:
    """A feature that this machine lacks: its name, what that means, and the one-line remedy."""

    name: str
    message: str
    remedy: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}"


def enter() -> None:
    """Moves this process into new user and mount namespaces; it keeps the host's network.

    Call it at the start of a process, before any thread exists. DataPlaneError, with the remedy, if the machine does
    not permit it.
    """
    if threading.active_count() > 1:
        raise RuntimeError("enter() must be called before the first thread is started")
    uid, gid = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWUSER | CLONE_NEWNS)
        map_only_root(uid, gid)
        mount("none", "/", None, MS_REC | MS_PRIVATE)
    except OSError as error:
        raise DataPlaneError(str(_forbidden(error))) from error


def check_machine() -> list[Finding]:
    """The features that this machine lacks, the worst first; empty if it lacks none. Takes well under 100 ms."""
    if not sys.platform.startswith("linux"):
        remedy = "run it on Linux, in a Linux VM, or give --kubeconfig to test a real cluster"
        return [Finding("linux", f"the embedded cluster needs Linux, this is {sys.platform}", remedy)]
    findings = [*_in_child(_probe_kernel), *_missing_programs(), *_missing_networks()]
    return sorted(findings, key=lambda finding: not finding.fatal)


def require_machine() -> None:
    """DataPlaneError that names everything without which no guest can run."""
    fatal = [str(finding) for finding in check_machine() if finding.fatal]
    if fatal:
        raise DataPlaneError("the embedded cluster cannot run here: " + "; also: ".join(fatal))


def _missing_programs() -> Iterator[Finding]:
    if not shutil.which("ip"):
        yield Finding("iproute2", "the program 'ip' is missing", "install it: apt-get install iproute2")
    if not shutil.which("bash") and not shutil.which("sh"):
        yield Finding("shell", "neither bash nor sh is on PATH", "install it: apt-get install bash")
    if not shutil.which("ping"):
        yield Finding(
            "ping",
            "the program 'ping' is missing, by which guests are told from others",
            "install it: apt-get install iputils-ping",
        )


def _missing_networks() -> Iterator[Finding]:
    with socket.socket() as listening, socket.socket() as asking:
        listening.settimeout(_LOOPBACK_SECONDS)
        asking.settimeout(_LOOPBACK_SECONDS)
        try:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            asking.connect(listening.getsockname())
        except OSError as error:
            yield Finding(
                "loopback",
                f"nothing reaches 127.0.0.1, where the API server listens ({error.strerror or error})",
                "bring the loopback interface up: ip link set lo up",
            )
    if not has_ipv6():
        yield Finding(
            "ipv6",
            "this machine has no IPv6, so guests have none: what needs it is skipped",
            "boot without ipv6.disable=1 to have it",
            fatal=False,
        )


def has_ipv6() -> bool:
    """Whether this kernel has IPv6; a setting of one network namespace alone does not matter for others."""
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


def _probe_kernel() -> Iterator[Finding]:
    """Runs in a child process: tries each feature once, in the order in which the data plane needs it."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET)
        map_only_root(uid, gid)
        mount("none", "/", None, MS_REC | MS_PRIVATE)
        # A guest has one more level of namespaces, with its own PID namespace.
        unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID)
        map_only_root(0, 0)
        mount("none", "/", None, MS_REC | MS_PRIVATE)
    except OSError as error:
        yield _forbidden(error)
        return
    links = Links()
    yield from _attempt(
        lambda: links.add_veth("probe0", "probe1"),
        Finding("veth", "the kernel has no veth devices", "load the module: modprobe veth"),
    )
    yield from _attempt(
        lambda: links.add_bridge("probe2"),
        Finding("bridge", "the kernel has no bridges", "load the module: modprobe bridge"),
    )
    yield from _attempt(
        lambda: translate("192.0.2.1", "192.0.2.2"),
        Finding("nf_tables", "the kernel has no nf_tables for the pod network", "load the module: modprobe nf_tables"),
    )
    links.close()
    yield from _attempt(
        lambda: mount("tmpfs", "/tmp", "tmpfs"),  # noqa: S108 - a mount in this child's own namespace
        Finding("tmpfs", "no tmpfs can be mounted in a user namespace", "use Linux 5.12 or newer"),
    )
    remedy = "run the container with --security-opt systempaths=unconfined, or run outside of it"
    yield from _attempt(
        lambda: mount("sysfs", "/sys", "sysfs"),
        Finding("sysfs", "no fresh /sys can be mounted in a user namespace", remedy),
    )
    yield from _in_child(
        lambda: _attempt(
            lambda: mount("proc", "/proc", "proc"),
            Finding("proc", "no fresh /proc can be mounted in a user namespace", remedy),
        )
    )


def _attempt(action: Callable[[], object], finding: Finding) -> Iterator[Finding]:
    try:
        action()
    except OSError as error:
        yield Finding(finding.name, f"{finding.message} ({error.strerror or error})", finding.remedy, finding.fatal)


def _in_child(probe: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Runs a probe in a forked child, because its effects on the process cannot be undone."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        # Neither an exception nor a clean-up of the parent may run in the child.
        with contextlib.suppress(BaseException):
            signal.set_wakeup_fd(-1)
        try:
            findings = list(probe())
        except Exception as error:
            findings = [Finding("probe", f"the machine could not be probed ({error!r})", "report this as a bug")]
        with contextlib.suppress(BaseException):
            os.write(writing, json.dumps([asdict(finding) for finding in findings]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return [Finding(**entry) for entry in json.loads(answer or b"[]")]


def _forbidden(error: OSError) -> Finding:
    """Why this machine forbids user namespaces, the most frequent reason first."""
    message = f"user namespaces are not permitted ({error.strerror or error})"
    if _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1" and os.geteuid():
        return Finding(
            "user-namespaces",
            message + " by AppArmor",
            "allow them: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        )
    if _sysctl("kernel/unprivileged_userns_clone") == "0" and os.geteuid():
        remedy = "allow them: sudo sysctl -w kernel.unprivileged_userns_clone=1"
        return Finding("user-namespaces", message, remedy)
    if error.errno == errno.ENOSPC:
        remedy = "raise the limit: sudo sysctl -w user.max_user_namespaces=10000"
        return Finding("user-namespaces", message, remedy)
    if error.errno in {errno.EINVAL, errno.ENOSYS}:
        return Finding("user-namespaces", message, "use a kernel with CONFIG_USER_NS=y")
    remedy = (
        "in a container run it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
        " --security-opt systempaths=unconfined, elsewhere see `sysctl user.max_user_namespaces`"
    )
    return Finding("user-namespaces", message, remedy)


def _sysctl(key: str) -> str:
    try:
        return (_SYSCTL / key).read_text(encoding="ascii").strip()
    except OSError:
        return ""
