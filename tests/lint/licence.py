# SPDX-License-Identifier: Apache-2.0
"""Looks for the licence's line at the top of every source file: ``python -m tests.lint.licence [--write]``.

The appendix of the Apache License asks for a notice in each file. Its short form is this one line (https://spdx.dev/ids);
the whole text is in LICENSE. With ``--write`` the line is put where it is missing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTICE = "# SPDX-License-Identifier: Apache-2.0\n"
SOURCES = ("*.py", "*.sh", "*.robot", "*.resource", "deploy/Containerfile")


def has_notice(text: str) -> bool:
    """Whether it stands at the top, below what has to stand there; an empty file needs none."""
    return not text or _split(text)[1].startswith(NOTICE)


def with_notice(text: str) -> str:
    """The text with the notice where it belongs."""
    first, rest = _split(text)
    return f"{first}{NOTICE}{rest}"


def lacking() -> Iterator[Path]:
    """The tracked source files without it."""
    command = ["git", "-C", str(ROOT), "ls-files", "--", *SOURCES]
    for name in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        path = ROOT / name
        if path.is_file() and not has_notice(path.read_text(encoding="utf-8")):
            yield path


def _split(text: str) -> tuple[str, str]:
    """The line that has to be the first one (it names an interpreter, or a section of Robot), and the rest."""
    first, end, rest = text.partition("\n")
    return (f"{first}{end}", rest) if first.startswith(("#!", "*** ")) else ("", text)


def main(write: bool) -> int:
    """Prints the files without the line, or puts it there; 1 when any lack it."""
    found = list(lacking())
    for path in found:
        if write:
            path.write_text(with_notice(path.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            print(f"{path.relative_to(ROOT)}: has not the licence's line; python -m tests.lint.licence --write adds it")
    return 1 if found and not write else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] == ["--write"]))
