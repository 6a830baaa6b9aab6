# SPDX-License-Identifier: Apache-2.0
"""Traffic beyond pings and greetings: which kinds there are, and the command that asks for it in a guest."""

from __future__ import annotations

import ast
import base64
import json
import shlex
import threading
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

Traffic = Literal["UDP", "full-size UDP", "full-size ICMP", "transfer", "stream", "broadcast", "multicast", "neighbour"]
"""Answers by UDP to small datagrams, and to those that fill a frame and may not be fragmented; the same by ICMP;
transfers by TCP; streams of full datagrams at a pace, of which half must come back; frames to everybody that the target
hears; and whether the target tells its MAC once that is forgotten."""

REACHED: tuple[Traffic, ...] = (
    "UDP",
    "full-size UDP",
    "full-size ICMP",
    "transfer",
    "stream",
    "broadcast",
    "multicast",
    "neighbour",
)
SILENT: tuple[Traffic, ...] = ("UDP", "broadcast", "multicast", "neighbour")

_PARTS = ("guest_program.py", "guest_requests.py", "guest_connections.py")
PYTHON, ROOT = "python3", "root or sudo"
_READING = threading.Lock()


@cache
def program() -> str:
    """`guest_program` and its other parts as one, without what only readers need, so that it is sent quickly."""
    texts = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in _PARTS]
    parts = [ast.unparse(_Shortened().visit(ast.parse(text))) for text in texts]
    return "\n".join((*parts, "main(*sys.argv[1:])\n"))


class _Shortened(ast.NodeTransformer):
    """Leaves out docstrings, annotations and imports that only they need."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        if node.value is None:
            return None
        return ast.fix_missing_locations(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        kept = node.module not in ("__future__", "typing", "collections.abc")
        return node if kept and not str(node.module).startswith("livenad") else None

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant):
            return None
        return self.generic_visit(node)


def _packed() -> str:
    # Guests are asked by several threads, and ast.parse of Python 3.11 fails when two of them are in it.
    with _READING:
        return _packed_once()


@cache
def _packed_once() -> str:
    code = base64.b64encode(zlib.compress(program().encode(), 9)).decode()
    return f'import base64,zlib;exec(zlib.decompress(base64.b64decode("{code}")))'


def command(order: Mapping[str, Any], *words: str) -> str:
    """A shell command that runs the program with an order, and further words of the shell as they are."""
    return " ".join(["python3 -I -S -c", shlex.quote(_packed()), shlex.quote(json.dumps(order)), *words])
