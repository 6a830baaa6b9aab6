# SPDX-License-Identifier: Apache-2.0
"""Prints the mutants of source files as JSON lines; runs in the environment that has cosmic-ray, without this project.

Of cosmic-ray's operators those that replace a comparison or an arithmetic operator by any other one are too many to
tell anything: kept are the opposite and the neighbour (``<`` to ``<=``) of each comparison, one opposite of each
arithmetic operator, and all operators of other kinds that need no arguments.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMPARISONS = {
    "Eq": ("NotEq",),
    "NotEq": ("Eq",),
    "Lt": ("LtE", "GtE"),
    "LtE": ("Lt", "Gt"),
    "Gt": ("GtE", "LtE"),
    "GtE": ("Gt", "Lt"),
    "Is": ("IsNot",),
    "IsNot": ("Is",),
}
ARITHMETIC = {
    "Add": "Sub",
    "Sub": "Add",
    "Mul": "Div",
    "Div": "Mul",
    "FloorDiv": "Mul",
    "Mod": "Div",
    "BitOr": "BitAnd",
    "BitAnd": "BitOr",
}
OTHERS = [
    "ReplaceUnaryOperator_USub_UAdd",
    "ReplaceUnaryOperator_Delete_Not",
    "AddNot",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ExceptionReplacer",
    "NumberReplacer",
    "RemoveDecorator",
    "ZeroIterationForLoop",
]
OPERATORS = [
    *(f"ReplaceComparisonOperator_{one}_{other}" for one, others in COMPARISONS.items() for other in others),
    *(f"ReplaceBinaryOperator_{one}_{other}" for one, other in ARITHMETIC.items()),
    *OTHERS,
]


def mutants(source: str) -> Iterator[dict[str, Any]]:
    """``operator``, ``line``, ``start`` and ``end`` of the text that is replaced, and ``text`` in its place."""
    from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import-not-found]
    from cosmic_ray.mutating import mutate_code  # type: ignore[import-not-found]
    from cosmic_ray.operators.provider import OperatorProvider  # type: ignore[import-not-found]

    provider = OperatorProvider()
    plain = without_annotations(source)
    for name in OPERATORS:
        operator = provider[name]()
        positions = [at for node in ast_nodes(get_ast(source)) for at in operator.mutation_positions(node)]
        for occurrence, _ in enumerate(positions):
            changed = mutate_code(source, operator, occurrence)
            if changed is None or changed == source or without_annotations(changed) in (plain, None):
                continue
            start, end, text = replacement(source, changed)
            line = source.count("\n", 0, start) + 1
            yield {"operator": name, "line": line, "start": start, "end": end, "text": text}


def replacement(source: str, changed: str) -> tuple[int, int, str]:
    """The part of the source that differs, and what stands there instead."""
    start = 0
    while start < min(len(source), len(changed)) and source[start] == changed[start]:
        start += 1
    tail = 0
    while tail < min(len(source), len(changed)) - start and source[-1 - tail] == changed[-1 - tail]:
        tail += 1
    return start, len(source) - tail, changed[start : len(changed) - tail]


def without_annotations(source: str) -> str | None:
    """The code that runs: annotations are never evaluated, so a mutant in one is none. None for what is no Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for mutant in mutants(Path(name).read_text(encoding="utf-8")):
            print(json.dumps(mutant))
