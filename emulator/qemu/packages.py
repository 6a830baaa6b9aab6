# SPDX-License-Identifier: Apache-2.0
"""Debian packages of which guests are made: found by apt, kept in the user's cache folder, unpacked without root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_URI = re.compile(r"^'(?P<uri>[^']+)' (?P<file>\S+) \d+ (?P<hash>\S+)$", re.MULTILINE)
_PATIENCE = 300.0


class PackagesMissing(Exception):
    """Guests cannot be made here; the message names in one line what is missing, and how it is had."""


@dataclass(frozen=True)
class Package:
    """A package as the index of apt has it; ``checksum`` is that of its file."""

    name: str
    file: str
    checksum: str


def cache_folder() -> Path:
    """Where packages and images are kept, one folder for each user."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "kubevirt-embedded-guests"


def index(names: Sequence[str]) -> list[Package]:
    """What apt would download for these names, without what they depend on. PackagesMissing where it knows one not."""
    for program in ("apt-get", "apt-cache", "dpkg-deb"):
        if not shutil.which(program):
            raise PackagesMissing(f"{program} is missing: guests are made of Debian's packages, on Debian only")
    listed = _apt("apt-get", "download", "--print-uris", *names)
    if listed.returncode:
        unknown = re.findall(
            r"(?:Unable to locate package|Can't select candidate version from package) (\S+)", listed.stderr
        )
        what = ", ".join(unknown) or listed.stderr.strip().splitlines()[-1:]
        raise PackagesMissing(f"apt knows no package {what}: apt-get update, on Debian 12")
    return [
        Package(match["file"].partition("_")[0], match["file"], match["hash"]) for match in _URI.finditer(listed.stdout)
    ]


def dependency_of(name: str, prefix: str) -> str:
    """The package that another one stands for, such as the present kernel. PackagesMissing where there is none."""
    listed = _apt("apt-cache", "depends", "--important", name).stdout
    for line in listed.splitlines():
        kind, _, dependency = line.strip().partition(": ")
        if kind == "Depends" and dependency.startswith(prefix):
            return dependency
    raise PackagesMissing(f"apt knows no package {name}: apt-get update, on Debian 12")


def download(packages: Iterable[Package]) -> dict[str, Path]:
    """The file of each package, by its name; those not yet in the cache are fetched, and checked by apt."""
    folder = cache_folder() / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {package.name: folder / package.file for package in packages}
    if missing := [name for name, path in wanted.items() if not path.exists()]:
        # On the file system of the cache, so that a file is there whole or not at all.
        with tempfile.TemporaryDirectory(dir=folder) as work:
            fetched = _apt("apt-get", "download", "-o", "APT::Sandbox::User=root", *missing, cwd=work)
            for file in Path(work).glob("*.deb"):
                file.replace(folder / file.name)
        if gone := [name for name in missing if not wanted[name].exists()]:
            said = (fetched.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise PackagesMissing(f"apt-get could not download {', '.join(gone)}: {said}")
    return wanted


def unpack(files: Iterable[Path], root: Path) -> None:
    """Unpacks packages into one tree; their scripts are not run."""
    for file in files:
        subprocess.run(["dpkg-deb", "-x", str(file), str(root)], check=True, timeout=_PATIENCE)


def _apt(*words: str, cwd: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LC_ALL": "C"}
    return subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=_PATIENCE, cwd=cwd, env=environment
    )
