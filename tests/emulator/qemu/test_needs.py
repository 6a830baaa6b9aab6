# SPDX-License-Identifier: Apache-2.0
"""What is told where guests in QEMU cannot be had."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emulator.qemu import accelerator, needs, packages
from emulator.qemu.packages import PackagesMissing


def _programs(folder: Path, **scripts: str) -> None:
    for name, script in scripts.items():
        program = folder / name.replace("_", "-")
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)


def test_missing_programs_are_named_with_their_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert needs.missing() == "missing is qemu-system-x86, apt, dpkg: apt-get install qemu-system-x86 apt dpkg"
    _programs(tmp_path, apt_get="", dpkg_deb="")
    assert needs.missing() == "missing is qemu-system-x86: apt-get install qemu-system-x86"


def test_too_little_memory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", str(tmp_path))
    _programs(tmp_path, apt_get="", dpkg_deb="", machine="")
    (tmp_path / "machine").rename(tmp_path / accelerator.PROGRAM)
    monkeypatch.setattr(needs, "_MEMORY", tmp_path / "meminfo")
    for available, told in ((900_000, "878 MiB of memory are available, guests in QEMU need 2048"), (2_097_152, "")):
        (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable:   {available} kB\n", encoding="ascii")
        assert needs.missing() == told


def test_other_processors_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert needs.missing() == "guests in QEMU are made for x86_64, this machine is aarch64"


def test_packages_that_apt_does_not_know_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    said = "E: Unable to locate package busybox-static\nE: Unable to locate package dropbear-bin"
    _programs(tmp_path, apt_get=f"echo '{said}' >&2; exit 100", apt_cache="", dpkg_deb="")
    with pytest.raises(PackagesMissing, match=r"apt knows no package busybox-static, dropbear-bin: apt-get update"):
        packages.index(["busybox-static", "dropbear-bin"])
    with pytest.raises(PackagesMissing, match=r"apt knows no package linux-image-cloud-amd64: apt-get update"):
        packages.dependency_of("linux-image-cloud-amd64", "linux-image-")


def test_download_that_fails_is_told_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    listed = "'http://deb.debian.org/x.deb' x_1_amd64.deb 12 SHA256:abc"
    _programs(
        tmp_path,
        apt_get=f'case "$*" in *print-uris*) echo "{listed}" ;; *) echo "E: no network" >&2; exit 100 ;; esac',
        apt_cache="",
        dpkg_deb="",
    )
    found = packages.index(["x"])
    assert [(one.name, one.file, one.checksum) for one in found] == [("x", "x_1_amd64.deb", "SHA256:abc")]
    with pytest.raises(PackagesMissing, match="apt-get could not download x: E: no network"):
        packages.download(found)
    assert list((tmp_path / "cache" / "kubevirt-embedded-guests" / "packages").iterdir()) == []


def test_package_in_the_cache_is_not_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kept = packages.cache_folder() / "packages" / "x_1_amd64.deb"
    kept.parent.mkdir(parents=True)
    kept.touch()
    assert packages.download([packages.Package("x", "x_1_amd64.deb", "")]) == {"x": kept}


@pytest.mark.parametrize(("script", "found"), [("exit 0", "kvm"), ("exit 1", "tcg"), ("exec sleep 30", "tcg")])
def test_device_that_opens_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, found: str) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(accelerator, "_KVM", str(tmp_path))
    monkeypatch.setattr(accelerator, "_KERNEL_ENDS_SECONDS", 1.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    packages.cache_folder().mkdir(parents=True)
    _programs(tmp_path, machine=script)
    (tmp_path / "machine").rename(tmp_path / accelerator.PROGRAM)
    accelerator.accelerator.cache_clear()
    try:
        assert accelerator.accelerator(tmp_path / "vmlinuz") == found
        (tmp_path / accelerator.PROGRAM).unlink()
        accelerator.accelerator.cache_clear()
        assert accelerator.accelerator(tmp_path / "vmlinuz") == found, "it is remembered"
    finally:
        accelerator.accelerator.cache_clear()


def test_closed_device_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "_KVM", str(tmp_path / "none"))
    accelerator.accelerator.cache_clear()
    assert accelerator.accelerator(tmp_path / "vmlinuz") == "tcg"
    accelerator.accelerator.cache_clear()
