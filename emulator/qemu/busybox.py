# SPDX-License-Identifier: Apache-2.0
"""A small guest of Debian's packages: BusyBox, Dropbear, the guest agent, Python and sudo, all in memory."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .accelerator import PROGRAM
from .cpio import Archive
from .packages import Package, PackagesMissing, cache_folder, dependency_of, download, index, unpack

_KERNEL = "linux-image-cloud-amd64"
_PACKAGES = (
    "busybox-static", "dropbear-bin", "libtomcrypt1", "libtommath1", "libgmp10", "libcrypt1", "libc6", "zlib1g",
    "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libexpat1", "libssl3", "libffi8",
    "python3-yaml", "libyaml-0-2",
    "qemu-guest-agent", "libglib2.0-0", "libpcre2-8-0", "libnuma1", "libudev1", "liburing2", "libselinux1",
    "coreutils", "sudo", "libaudit1", "libcap-ng0", "libpam0g", "libpam-modules",
)  # fmt: skip
_PROGRAMS = (
    "usr/bin/python3.11", "usr/sbin/dropbear", "usr/bin/dropbearkey", "usr/bin/dropbearconvert", "usr/sbin/qemu-ga",
    "usr/bin/cksum",
)  # fmt: skip
# In the order in which the kernel takes them.
_MODULES = (
    "virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "failover",
    "net_failover", "virtio_net", "virtio_blk", "virtio_console", "virtio-rng", "fat", "vfat", "nls_ascii",
    "nls_cp437", "nls_utf8",
)  # fmt: skip
# Of Python's library, what no program in a guest imports.
_LEFT_OUT = re.compile(
    r"/(?:test|tests|idlelib|tkinter|lib2to3|ensurepip|distutils|pydoc_data|turtledemo|__pycache__|config-[^/]*|unittest"
    r"|sqlite3|curses|dbm|wsgiref|xmlrpc)(?:/|$)|\.(?:a|egg-info)$|/(?:_?sqlite|_dbm|_curses|nis|readline)[^/]*\.so$"
)
# As Debian's own.
_SUDOERS = b"""Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root ALL=(ALL:ALL) ALL
"""
_OWN_FILES = Path(__file__).with_name("guest_files")
_EMULATOR = Path(__file__).parent.parent
# What the guest's NoCloud reader takes from this project.
_OWN_MODULES = (
    "guest/__init__", "guest/accounts", "guest/cloudconfig", "guest/netconfig", "guest/spec", "dataplane/__init__",
    "dataplane/links", "dataplane/netlink", "__init__",
)  # fmt: skip


@dataclass(frozen=True)
class Image:
    """A kernel and the archive that it starts with; ``packages`` are what they are made of, ``program`` is QEMU."""

    kernel: Path
    initrd: Path
    packages: tuple[Package, ...]
    memory: int = 192
    """MiB that a guest of this image needs."""
    program: str = PROGRAM


def image(*, refresh: bool = False) -> Image:
    """The image, from the cache where it was made before, else made now; ``refresh`` asks for newer packages.

    The same packages give the same bytes. PackagesMissing where it can be neither found nor made.
    """
    folder = _folder()
    if refresh or not is_made():
        _build(folder)
    listed = json.loads((folder / "packages.json").read_text(encoding="utf-8"))
    return Image(folder / "vmlinuz", folder / "initrd", tuple(Package(**entry) for entry in listed))


def is_made() -> bool:
    """Whether the image is in the cache; making it takes a minute or two, most of it for packages to come."""
    return (_folder() / "packages.json").exists()


def _folder() -> Path:
    return cache_folder() / f"busybox-{_recipe()}"


def _recipe() -> str:
    """A short name for everything of ours that an image depends on."""
    digest = hashlib.sha256()
    sources = [Path(__file__), *sorted(_OWN_FILES.iterdir()), *(_EMULATOR / f"{name}.py" for name in _OWN_MODULES)]
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _build(folder: Path) -> None:
    packages = index((*_PACKAGES, dependency_of(_KERNEL, "linux-image-")))
    files = download(packages)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as work:
        root, made = Path(work) / "root", Path(work) / "made"
        made.mkdir()
        unpack(files.values(), root)
        kernel = next((root / "boot").glob("vmlinuz-*"))
        shutil.copyfile(kernel, made / "vmlinuz")
        (made / "initrd").write_bytes(_archive(root, kernel.name.removeprefix("vmlinuz-")).pack())
        (made / "packages.json").write_text(json.dumps([vars(package) for package in packages]), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def _archive(root: Path, release: str) -> Archive:
    archive = Archive()
    for name in ("dev", "proc", "sys", "run", "tmp", "root", "home", "var/log", "var/lib", "mnt", "etc/dropbear"):
        archive.directory(name, 0o700 if name == "root" else 0o755)
    archive.characters("dev/console", 5, 1)
    archive.characters("dev/null", 1, 3)
    _busybox(archive, root)
    for program in _PROGRAMS:
        archive.copy(root / program, program)
    archive.link("usr/bin/python3", "python3.11")
    _sudo(archive, root)
    _libraries(archive, root)
    _python(archive, root)
    _modules(archive, root / "lib/modules" / release)
    _settings(archive)
    return archive


def _busybox(archive: Archive, root: Path) -> None:
    busybox = root / "bin/busybox"
    # For ping and su: all other parts of it drop what they do not need.
    archive.file("bin/busybox", busybox.read_bytes(), 0o4755)
    listed = subprocess.run([busybox, "--list-full"], capture_output=True, text=True, check=True, timeout=60).stdout
    for path in listed.split():
        if path != "bin/busybox":
            archive.link(path, "/bin/busybox")
    archive.link("init", "/bin/busybox")


def _sudo(archive: Archive, root: Path) -> None:
    archive.file("usr/bin/sudo", (root / "usr/bin/sudo").read_bytes(), 0o4755)
    archive.file("etc/sudoers", _SUDOERS, 0o440)
    archive.tree(root / "usr/libexec/sudo", "usr/libexec/sudo")
    archive.file(
        "etc/pam.d/sudo",
        b"auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n",
    )
    permit = next(root.glob("**/security/pam_permit.so"))
    archive.copy(permit, str(permit.relative_to(root)))


def _libraries(archive: Archive, root: Path) -> None:
    """All shared libraries: the packages are chosen for them."""
    for folder in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64"):
        for one in sorted((root / folder).iterdir()) if (root / folder).is_dir() else ():
            if ".so" in one.name and not one.is_dir():
                archive.copy(one, f"{folder}/{one.name}")


def _python(archive: Archive, root: Path) -> None:
    """Python's library, compiled ahead: to do so at each start would take longer than all else."""
    library = root / "usr/lib/python3.11"
    shutil.copytree(root / "usr/lib/python3/dist-packages/yaml", library / "yaml")
    own = root / "usr/lib/nocloud/emulator"
    for name in _OWN_MODULES:
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_EMULATOR / f"{name}.py", own / f"{name}.py")
    for folder, name in ((library, "usr/lib/python3.11"), (root / "usr/lib/nocloud", "usr/lib/nocloud")):
        _remove(one for one in sorted(folder.rglob("*")) if _LEFT_OUT.search(f"/{one.relative_to(folder)}"))
        _compile(root, folder)
        archive.tree(folder, name)


def _compile(root: Path, folder: Path) -> None:
    """By the guest's own Python, with its own libraries; the sources are left out then."""
    libraries = f"{root}/lib/x86_64-linux-gnu:{root}/usr/lib/x86_64-linux-gnu"
    loader = next((root / "lib/x86_64-linux-gnu").glob("ld-linux-*"))
    subprocess.run(
        [loader, "--library-path", libraries, root / "usr/bin/python3.11", "-B", "-S", "-m", "compileall", "-q", "-b",
         "-s", root, "--invalidation-mode", "unchecked-hash", folder],
        check=True, timeout=600, capture_output=True,
        env={"PYTHONHOME": f"{root}/usr", "PYTHONHASHSEED": "0", "PATH": os.environ["PATH"]},
    )  # fmt: skip
    _remove(folder.rglob("*.py"))


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.exists() or path.is_symlink():
            path.unlink()


def _modules(archive: Archive, folder: Path) -> None:
    found = {path.stem: path for path in folder.rglob("*.ko")}
    if missing := [name for name in _MODULES if name not in found]:
        raise PackagesMissing(f"the kernel in {folder.name} has no module {', '.join(missing)}")
    for name in _MODULES:
        archive.file(f"lib/modules/{name}.ko", found[name].read_bytes())
    archive.file("lib/modules/order", "".join(f"{name}.ko\n" for name in _MODULES).encode())


def _settings(archive: Archive) -> None:
    for name, path, mode in (
        ("rcS", "etc/init.d/rcS", 0o755),
        ("ssh", "etc/init.d/ssh", 0o755),
        ("agent", "etc/init.d/agent", 0o755),
        ("shutdown", "sbin/shutdown", 0o755),
        ("udhcpc.script", "etc/udhcpc.script", 0o755),
        ("inittab", "etc/inittab", 0o644),
        ("mdev.conf", "etc/mdev.conf", 0o644),
        ("profile", "etc/profile", 0o644),
        ("nocloud.py", "usr/lib/nocloud.py", 0o644),
    ):
        archive.file(path, (_OWN_FILES / name).read_bytes(), mode)
    for path, text in {
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "etc/group": "root:x:0:\ntty:x:5:\n",
        "etc/resolv.conf": "",
        "etc/shells": "/bin/sh\n/bin/ash\n",
        "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
        "etc/os-release": 'NAME="BusyBox guest of Debian packages"\nID=debian-busybox\nVERSION_ID="12"\n'
        'PRETTY_NAME="BusyBox guest of Debian 12 packages"\nVERSION="12"\n',
        "etc/issue": "BusyBox guest \\n \\l\n\n",
    }.items():
        archive.file(path, text.encode())
    archive.file("etc/shadow", b"root:*:19000:0:99999:7:::\n", 0o600)
