# SPDX-License-Identifier: Apache-2.0
"""Makes the recorded exchanges: ``python -m tests.emulator.wire.extract FOLDER``.

The folder holds recordings of a real API server, one folder an area; each JSON file is one exchange. Kept is what a
replay sends and compares.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from .player import LEFT_OUT
from .recordings import DATA

Obj = dict[str, Any]
AREAS = ["create", "read", "update", "patch", "apply", "delete", "auth", "errors", "discovery", "watch", "compaction"]
AREAS += ["admission/main", "admission/1.9.0", "admission/1.8.4", "stream", "stream-lifecycle"]
# Documents about everything that a server has: this one has much less.
LEFT_OUT_OF_DISCOVERY = ["01", "02", "05", "07", "11", "15", "17", "18", "19", "26", "27", "28", "30"]
WHO = {"CN=admin": "admin", "CN=alice": "alice", "no credentials": "", "not-a-token": "not-a-token"}
SHOWN = 160


def exchange(number: str, recorded: Obj) -> Obj:
    """One exchange without what a replay neither sends nor compares."""
    request, response = recorded["request"], recorded["response"]
    kept: Obj = {
        "name": number,
        "who": next((who for word, who in WHO.items() if word in recorded["identity"]), recorded["identity"]),
        "method": request["method"],
        "url": request["url"],
        "headers": {key: value for key, value in dict(request["headers"]).items() if key != "Authorization"},
    }
    kept |= {key: request[key] for key in ("body", "bodyText", "bodyLength") if key in request}
    if "bodyLength" in kept:
        kept["bodyText"] = kept["bodyText"][:SHOWN]
    answer = {key: response[key] for key in ("status", "body", "bodyText") if key in response}
    answer["headers"] = [pair for pair in response["headers"] if pair[0].lower() not in LEFT_OUT]
    if "lines" in response:
        answer["lines"] = [line["line"] for line in response["lines"]]
        kept["actions"] = [action["did"] for action in recorded.get("actions", [])]
    return kept | {"answer": answer} | {key: recorded[key] for key in ("frames", "end") if key in recorded}


def command(path: Path) -> Obj:
    """One run of kubectl: a text with the command, its exit status, both outputs and what it was given."""
    text = path.read_text()
    head, given = text.split("\n--- stdin given\n") if "\n--- stdin given\n" in text else (text, "")
    line, _, rest = head.partition("\n--- exit status ")
    status, _, rest = rest.partition("\n--- stdout\n")
    out, _, errors = rest.partition("--- stderr\n")
    who = "alice" if line.startswith("# as user alice") else "admin"
    words = shlex.split(line.partition("$ kubectl ")[2])
    found = {"name": path.stem, "who": who, "words": words, "status": int(status), "out": out, "errors": errors}
    return found | ({"stdin": given} if given else {})


def main(folder: Path) -> None:
    for area in AREAS:
        paths = sorted((folder / area).glob("[0-9]*.json"))
        if area == "discovery":
            paths = [path for path in paths if path.name[:2] not in LEFT_OUT_OF_DISCOVERY]
        lines = [json.dumps(exchange(path.stem, json.loads(path.read_text()))) for path in paths]
        (DATA / f"{area.replace('/', '-')}.jsonl").write_text("\n".join(lines) + "\n")
    lines = [json.dumps(command(path)) for path in sorted((folder / "kubectl").glob("[0-9]*.txt"))]
    (DATA / "kubectl.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
