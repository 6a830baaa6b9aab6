# SPDX-License-Identifier: Apache-2.0
"""The archive that a kernel unpacks as its first file system (cpio, "newc"): the same bytes for the same content."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

_DIRECTORY, _FILE, _LINK, _CHARACTERS = 0o040000, 0o100000, 0o120000, 0o020000


@dataclass
class Archive:
    """Everything in it belongs to root and has the same time. ``entries``: path -> mode, content, device."""

    entries: dict[str, tuple[int, bytes, tuple[int, int]]] = field(default_factory=dict)

    def directory(self, path: str, mode: int = 0o755) -> None:
        self._parents(path)
        self.entries[path] = (_DIRECTORY | mode, b"", (0, 0))

    def file(self, path: str, content: bytes, mode: int = 0o644) -> None:
        self._parents(path)
        self.entries[path] = (_FILE | mode, content, (0, 0))

    def link(self, path: str, target: str) -> None:
        self._parents(path)
        self.entries[path] = (_LINK | 0o777, target.encode(), (0, 0))

    def characters(self, path: str, major: int, minor: int) -> None:
        """A character device."""
        self._parents(path)
        self.entries[path] = (_CHARACTERS | 0o600, b"", (major, minor))

    def tree(self, source: Path, path: str) -> None:
        """A copy of a folder with all that is in it; modes are 755 or 644."""
        for one in sorted(source.rglob("*")):
            self.copy(one, f"{path}/{one.relative_to(source)}")

    def copy(self, source: Path, path: str) -> None:
        if source.is_symlink():
            self.link(path, str(source.readlink()))
        elif source.is_dir():
            self.directory(path)
        else:
            self.file(path, source.read_bytes(), 0o755 if source.stat().st_mode & 0o100 else 0o644)

    def _parents(self, path: str) -> None:
        for parent in reversed(Path(path).parents):
            if str(parent) != "." and str(parent) not in self.entries:
                self.entries[str(parent)] = (_DIRECTORY | 0o755, b"", (0, 0))

    def pack(self) -> bytes:
        """The archive's bytes."""
        packed = bytearray()
        # Sorted by their parts: a folder comes before what is in it.
        names = sorted(self.entries, key=lambda path: path.split("/"))
        for number, path in enumerate(names, 1):
            packed += _member(path, number, *self.entries[path])
        packed += _member("TRAILER!!!", 0, 0, b"", (0, 0))
        return bytes(packed)


def _member(path: str, number: int, mode: int, content: bytes, device: tuple[int, int]) -> bytes:
    name = path.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + name
    return _padded(header) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
