# SPDX-License-Identifier: Apache-2.0
"""Looks for banned words in everything that a person reads: ``python -m tests.lint.wording``.

Recordings of the real product are quoted as they are, so folders of data are left out. There is no other exception.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORDS = Path(__file__).with_name("banned_words.yaml")
SUFFIXES = {".py", ".robot", ".resource", ".md", ".sh", ".yaml", ".toml", ".args", ".txt", ""}
QUOTED = re.compile(
    r"(^|/)(data|recordings|accepted|traces|wire)/|^LICENSE$|^docs/images/|(banned_words|wordings)\.yaml$"
)


def rules(text: str) -> list[tuple[re.Pattern[str], str]]:
    """The banned words with what to write instead, from the text of ``banned_words.yaml``."""
    return [(re.compile(rf"\b(?:{word})\b", re.IGNORECASE), instead) for word, instead in yaml.safe_load(text).items()]


def hits(name: str, text: str, banned: Sequence[tuple[re.Pattern[str], str]]) -> Iterator[str]:
    """One line for each banned word in a file's text: place, word, and what to write instead."""
    # One search of the whole text is a fifth of the work, and most texts have none.
    if not re.search("|".join(pattern.pattern for pattern, _ in banned), text, re.IGNORECASE):
        return
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, instead in banned:
            for found in pattern.finditer(line):
                yield f'{name}:{number}: "{found[0]}"; write instead: {instead}'


def files() -> Iterator[Path]:
    """The tracked files that a person reads."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True)
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in SUFFIXES and not QUOTED.search(name) and path.is_file():
            yield path


def main() -> int:
    """Print what was found; 1 when there is anything."""
    banned = rules(WORDS.read_text(encoding="utf-8"))
    found = [
        hit
        for path in files()
        for hit in hits(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8", errors="replace"), banned)
    ]
    for hit in found:
        print(hit)
    print(f"{len(found)} banned words")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
