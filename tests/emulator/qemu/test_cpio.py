# SPDX-License-Identifier: Apache-2.0
"""The archive that a guest starts with."""

from __future__ import annotations

from pathlib import Path

from emulator.qemu.cpio import Archive


def members_of(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Name -> mode and content, in the archive's order, as the kernel's own reader finds them."""
    found: dict[str, tuple[int, bytes]] = {}
    place = 0
    while True:
        fields = [int(data[place + 6 + 8 * n : place + 14 + 8 * n], 16) for n in range(13)]
        assert data[place : place + 6] == b"070701"
        mode, size, name_size = fields[1], fields[6], fields[11]
        assert (fields[2], fields[3], fields[5]) == (0, 0, 0), "root's, and without a time"
        name = data[place + 110 : place + 109 + name_size].decode()
        begin = (place + 110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, data[begin : begin + size])
        place = (begin + size + 3) & ~3


def test_files_folders_and_links() -> None:
    archive = Archive()
    archive.file("usr/bin/tool", b"#!/bin/sh\n", 0o4755)
    archive.link("bin", "usr/bin")
    archive.directory("root", 0o700)
    assert members_of(archive.pack()) == {
        "bin": (0o120777, b"usr/bin"),
        "root": (0o040700, b""),
        "usr": (0o040755, b""),
        "usr/bin": (0o040755, b""),
        "usr/bin/tool": (0o104755, b"#!/bin/sh\n"),
    }


def test_folder_comes_before_what_is_in_it_and_the_order_of_adding_does_not_matter() -> None:
    one, other = Archive(), Archive()
    for archive, names in ((one, ("a/b", "a-b", "a/b/c")), (other, ("a/b/c", "a-b", "a/b"))):
        for name in names:
            if name == "a/b":
                archive.directory(name)
            else:
                archive.file(name, b"x")
    assert one.pack() == other.pack()
    found = list(members_of(one.pack()))
    assert found.index("a") < found.index("a/b") < found.index("a/b/c")


def test_copy_of_a_tree_keeps_links_and_what_may_be_run(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "run").write_text("x")
    (tmp_path / "in" / "run").chmod(0o711)
    (tmp_path / "in" / "read").write_text("y")
    (tmp_path / "link").symlink_to("in/read")
    archive = Archive()
    archive.tree(tmp_path, "opt")
    found = members_of(archive.pack())
    assert found["opt/in/run"] == (0o100755, b"x")
    assert found["opt/in/read"] == (0o100644, b"y")
    assert found["opt/link"] == (0o120777, b"in/read")
