# SPDX-License-Identifier: Apache-2.0
"""Puts a mutant into the modules of this process: the code of one function is replaced, and nothing imported again.

What is bound when a module is imported (constants, defaults, decorators) cannot be replaced so.
"""

from __future__ import annotations

import gc
import sys
import types
from collections.abc import Iterator
from pathlib import Path


class NotInFunction(Exception):
    """The mutant is in code that runs at import."""


def swap(path: Path, source: str, mutated: str) -> None:
    """Replace the code of the function that differs. NotInFunction when something else differs too, or instead."""
    before, after = (_functions(compile(text, str(path), "exec")) for text in (source, mutated))
    changed = [name for name in before if name in after and not _same(before[name], after[name])]
    inner = [name for name in changed if "<locals>" not in name]
    if len(inner) != 1 or before.keys() != after.keys():
        raise NotInFunction(", ".join(changed) or "module")
    live = [one for one in _live(path) if one.__qualname__ == inner[0]]
    if not live:
        raise NotInFunction(inner[0])
    for function in live:
        function.__code__ = after[inner[0]]
    _forget_results()


def lines_of(path: Path, source: str, line: int) -> set[int]:
    """The lines of the outermost function in which a line stands; just the line outside of functions."""
    found = {line}
    for name, code in _functions(compile(source, str(path), "exec")).items():
        lines = _all_lines(code)
        if "<locals>" not in name and line in lines:
            found |= lines
    return found


def _functions(module: types.CodeType) -> dict[str, types.CodeType]:
    """Every function's code by its qualified name; the module's own code without them is the name ""."""
    found: dict[str, types.CodeType] = {}

    def walk(code: types.CodeType) -> None:
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                if inner.co_flags & 0x2:  # it has locals of its own: a function, not the body of a class
                    found[inner.co_qualname] = inner
                walk(inner)

    walk(module)
    return found


def _all_lines(code: types.CodeType) -> set[int]:
    lines = {line for _, _, line in code.co_lines() if line is not None}
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            lines |= _all_lines(inner)
    return lines


def _same(one: types.CodeType, other: types.CodeType) -> bool:
    return one.replace(co_firstlineno=1, co_linetable=b"") == other.replace(co_firstlineno=1, co_linetable=b"")


def _live(path: Path) -> Iterator[types.FunctionType]:
    for one in gc.get_objects():
        if isinstance(one, types.FunctionType) and one.__code__.co_filename == str(path):
            yield one


def _forget_results() -> None:
    """What functions have cached was made by the code before."""
    for module in list(sys.modules.values()):
        if str(getattr(module, "__name__", "")).startswith(("livenad", "KubeVirtLibrary", "GuestLibrary", "testplan")):
            for one in list(vars(module).values()):
                if callable(clear := getattr(one, "cache_clear", None)):
                    clear()
