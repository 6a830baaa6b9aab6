# SPDX-License-Identifier: Apache-2.0
"""A guest's file system: a tmpfs root with the host's programs bound read-only; everything else is its own."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
from collections.abc import Iterable
from pathlib import Path

from emulator.dataplane.syscalls import (
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    bind,
    make_read_only,
    mount,
    pivot_root,
)

_SYSTEM_DIRECTORIES = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_OWN_DIRECTORIES = (
    "dev", "etc", "home", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp", "usr",
    "var/lib/cloud/instance", "var/log", "var/spool", "var/tmp", "var/cache", "run/lock", "run/user",
)  # fmt: skip
# Of the host's /etc only what programs need in order to start, nothing that tells one host from another.
_ETC_COPIED = ("services", "protocols", "localtime", "inputrc", "mime.types", "ld.so.conf", "rpc", "ethertypes")
_ETC_BOUND = ("ld.so.cache", "ld.so.conf.d", "alternatives", "ssl", "pki", "ca-certificates", "terminfo", "iproute2")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
# Where the new root may be built: any existing directory that nothing is bound from.
_BUILDING_SITES = ("/mnt", "/media", "/srv", "/opt", "/tmp", "/var/tmp", "/run")  # noqa: S108
SERIAL_LINE = "/dev/ttyS0"
_TIOCSPTLCK = 0x40045431


def build(read_only_paths: Iterable[str], boot_id: str) -> int:
    """Builds the root file system of the calling process (it must be process 1 of new namespaces) and enters it.

    Returns the master side of the serial line, whose other side is ``SERIAL_LINE``.
    """
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    paths = [Path(path) for path in read_only_paths]
    root = _staging_directory(paths)
    mount("guest", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=64m")
    for directory in _OWN_DIRECTORIES:
        (root / directory).mkdir(parents=True, exist_ok=True)
    for directory in ("tmp", "var/tmp"):
        (root / directory).chmod(0o1777)
    (root / "root").chmod(0o700)
    (root / "var/run").symlink_to("/run")
    _bind_read_only(Path("/usr"), root)
    for name in _SYSTEM_DIRECTORIES:
        _take_over(Path("/") / name, root)
    _fill_etc(root)
    for path in paths:
        if not path.is_relative_to("/usr") and path.exists():
            _bind_read_only(path, root)
    _fill_dev(root)
    mount("proc", root / "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("sysfs", root / "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    pivot_root(root)
    override_proc("sys/kernel/random/boot_id", boot_id + "\n")
    return _serial_line()


def override_proc(name: str, text: str) -> Path:
    """Replaces a file of /proc by one of the guest's own; returns that file, for later changes of its content."""
    source = Path("/run/kernel") / name.replace("/", ".")
    source.parent.mkdir(exist_ok=True)
    source.write_text(text, encoding="ascii")
    source.chmod(0o444)
    bind(source, Path("/proc") / name)
    return source


def _staging_directory(sources: list[Path]) -> Path:
    for candidate in map(Path, _BUILDING_SITES):
        if candidate.is_dir() and not any(source.is_relative_to(candidate) for source in sources):
            return candidate
    raise OSError(2, f"none of {', '.join(_BUILDING_SITES)} is free to put a guest's root together")


def _bind_read_only(source: Path, root: Path) -> None:
    target = root / source.relative_to("/")
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    bind(source, target)
    make_read_only(target)


def _take_over(source: Path, root: Path) -> None:
    if source.is_symlink():
        (root / source.name).symlink_to(source.readlink())
    elif source.is_dir():
        _bind_read_only(source, root)


def _fill_etc(root: Path) -> None:
    for name in _ETC_COPIED:
        with contextlib.suppress(OSError):
            shutil.copyfile(Path("/etc") / name, root / "etc" / name)
    for name in _ETC_BOUND:
        source = Path("/etc") / name
        if source.exists():
            _bind_read_only(source, root)


def _fill_dev(root: Path) -> None:
    dev = root / "dev"
    for name in _DEVICES:
        (dev / name).touch()
        bind(Path("/dev") / name, dev / name)
    (dev / "pts").mkdir()
    mount("devpts", dev / "pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    (dev / "shm").mkdir(mode=0o1777)
    for name, target in {
        "ptmx": "pts/ptmx",
        "fd": "/proc/self/fd",
        "stdin": "/proc/self/fd/0",
        "stdout": "/proc/self/fd/1",
        "stderr": "/proc/self/fd/2",
        "console": "ttyS0",
    }.items():
        (dev / name).symlink_to(target)


def _serial_line() -> int:
    master = os.open("/dev/pts/ptmx", os.O_RDWR | os.O_NOCTTY)
    _unlock(master)
    Path(SERIAL_LINE).touch()
    bind("/dev/pts/0", SERIAL_LINE)
    return master


def _unlock(master: int) -> None:
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
