# SPDX-License-Identifier: Apache-2.0
"""Where YAML reads something else than what a user wrote: names twice, no value, numbers in another notation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml
from livenad.settings import TEXTS, VARIABLES

_TEXT_TAG = "tag:yaml.org,2002:str"
_NULL_TAG = "tag:yaml.org,2002:null"


def misread(path: Path) -> Iterator[str]:
    """What is wrong in a file of values that YAML takes all the same, each as the end of a line."""
    node = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value)
        where = f"line {key.start_mark.line + 1}: {name}"
        if name in seen:
            yield f"{where} stands there twice; remove one of them"
        seen.add(name)
        if name not in VARIABLES:
            continue
        if value.tag == _NULL_TAG:
            yield f'{where} has no value; give it one, remove the line, or write {name}: "" for an empty one'
        for scalar in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if isinstance(scalar, yaml.ScalarNode) and (read := _read_as(scalar, name)):
                yield f'{where} is {scalar.value}, {read}: put it in quotes, "{scalar.value}"'


def _read_as(scalar: yaml.ScalarNode, name: str) -> str:
    """Why what YAML makes of a scalar without quotes will not do, "" where it will."""
    if scalar.style is not None or scalar.tag in (_TEXT_TAG, _NULL_TAG):
        return ""
    read = yaml.safe_load(scalar.value)
    kind = "truth value" if isinstance(read, bool) else "number" if isinstance(read, int | float) else "value"
    if name in TEXTS:
        return f"which YAML reads as the {kind} {read}; expected text"
    # Another notation of numbers, such as 010 (8) and 1_0 (10).
    return f"which YAML reads as {read}" if kind == "number" and str(read) != scalar.value else ""
