# SPDX-License-Identifier: Apache-2.0
"""Makes the recorded refusals: ``python -m tests.emulator.wire.extract_refusals FOLDER``.

The folder holds what a real virt-api refused, one file a version and setting of feature gates; kept is each request
once, with what was answered. A file of another version stays out where it says the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .player import Obj
from .recordings import DATA

FILES = ("refusals-1.9.0", "refusals-1.9.0-disabled-gates")


def exchange(recorded: Obj) -> Obj:
    request = recorded["request"]
    query = "&".join(f"{key}={value}" for key, value in (request["params"] or {}).items())
    return {
        "label": recorded["label"],
        "gates": recorded["gates"],
        "method": request["method"],
        "url": request["path"] + (f"?{query}" if query else ""),
        "type": request["contentType"],
        "body": request["body"],
        "status": recorded["code"],
        "answer": recorded["answer"],
        "warning": recorded["warning"],
    }


def main(folder: Path) -> None:
    lines = [json.dumps(exchange(one)) for name in FILES for one in json.loads((folder / f"{name}.json").read_text())]
    (DATA / "refusals.jsonl").write_text("\n".join(lines) + "\n")
    lines = [json.dumps(one) for one in json.loads((folder / "noderestriction-1.9.0.json").read_text())["answers"]]
    (DATA / "restrictions.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
