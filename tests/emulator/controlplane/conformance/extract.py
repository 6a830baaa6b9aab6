# SPDX-License-Identifier: Apache-2.0
"""Makes the recorded facts: ``python -m tests.emulator.controlplane.conformance.extract FOLDER``.

The folder holds recordings of the real control plane, one folder a version; each ``NAME.jsonl`` has one watch event a
line: ``type``, ``kind`` and ``object`` (whole).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .facts import facts_of
from .names import Obj
from .stored import DATA, store


def recorded(path: Path) -> Obj:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return facts_of([(line["type"], line["kind"], line["object"]) for line in lines])


def main(folder: Path) -> None:
    for old in DATA.glob("*.json"):
        old.unlink()
    found = {f"{path.parent.name}-{path.stem}".replace("_", "-"): path for path in sorted(folder.glob("*/*.jsonl"))}
    store({name: recorded(path) for name, path in found.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
