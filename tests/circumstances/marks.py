# SPDX-License-Identifier: Apache-2.0
"""The marks, read from the text of the tests: importing all of them would take longer than reading them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TRIED = "tried on commit 34c8c6b"
"""Source of what was found by trying an earlier state of this project."""

VERDICTS = {
    "PASS": "the run is as good as without it",
    "FAIL": "the product is at fault",
    "LAB ERROR": "cluster, network, machine or rights are at fault, not the product",
    "TEST ERROR": "the suite's author is at fault",
    "SKIP": "the cluster lacks what the test needs",
    "exit 64": "the input is wrong; nothing was started",
    "exit 70": "a part of this project broke; no verdict",
    "exit 130": "the user stopped the run; what it had made is removed",
}
TOPICS = {
    "rules": "Rules of the cluster: rights, quotas, policies",
    "nodes": "Nodes and networks",
    "others": "Other people, other runs, other controllers",
    "connection": "Connections, credentials, proxies",
    "control plane": "What the control plane does and what it answers",
    "guest": "Guests",
    "input": "Input, settings, machines",
}


@dataclass(frozen=True)
class Circumstance:
    """One mark: ``test`` is the path of its file and its name; ``said`` are all texts of the test outside its marks."""

    title: str
    topic: str
    sees: str
    verdict: str
    source: str
    test: str
    said: tuple[str, ...] = ()
    asserts_itself: bool = False

    @property
    def parts(self) -> list[str]:
        return parts_of(self.sees)

    def mistakes(self) -> list[str]:
        """What is wrong with the mark; empty where nothing is."""
        found = [] if self.verdict in VERDICTS else [f"verdict {self.verdict}: expected one of {', '.join(VERDICTS)}"]
        if self.topic not in TOPICS:
            found.append(f"topic {self.topic}: expected one of {', '.join(TOPICS)}")
        if self.source != TRIED and not self.source.startswith("https://"):
            found.append(f'source {self.source}: expected an address, or "{TRIED}"')
        if not self.sees and self.verdict != "PASS":
            found.append(f"sees nothing, and the verdict is {self.verdict}")
        if not self.asserts_itself:
            found += [
                f"the test has no text with: {part}"
                for part in self.parts
                if not any(part in text for text in self.said)
            ]
        return [f"{self.test}: {line}" for line in found]


def parts_of(sees: str) -> list[str]:
    """What a message must hold, in this order."""
    return [part.strip() for part in sees.split("...") if part.strip()]


def read_marks(root: Path = TESTS) -> list[Circumstance]:
    """The circumstances of all tests below a folder, in the order of topics, files and lines."""
    found = [
        mark
        for path in sorted(root.rglob("test_*.py"))
        if "mark.circumstance(" in (text := path.read_text(encoding="utf-8"))
        for mark in marks_of(text, str(path.relative_to(root.parent)))
    ]
    order = list(TOPICS)
    return sorted(found, key=lambda one: order.index(one.topic) if one.topic in order else len(order))


def marks_of(text: str, path: str) -> Iterator[Circumstance]:
    """The circumstances in the text of one test file, of functions and of their parameters."""
    body = ast.parse(text).body
    constants = [part for node in body if isinstance(node, ast.Assign | ast.AnnAssign) for part in ast.walk(node)]
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        marks = [call for call in ast.walk(node) if isinstance(call, ast.Call) and _is_mark(call)]
        inside = {id(part) for mark in marks for part in ast.walk(mark)}
        said = tuple(
            part.value if isinstance(part.value, str) else part.value.decode(errors="replace")
            for part in [*constants, *ast.walk(node)]
            if isinstance(part, ast.Constant) and isinstance(part.value, str | bytes) and id(part) not in inside
        )
        takes_sees = any(argument.arg == "sees" for argument in node.args.args)
        for mark in marks:
            values = {str(one.arg): ast.literal_eval(one.value) for one in mark.keywords}
            values["title"] = ast.literal_eval(mark.args[0])
            yield Circumstance(**values, test=f"{path}::{node.name}", said=said, asserts_itself=takes_sees)


def _is_mark(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "circumstance"
