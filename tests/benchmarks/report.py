# SPDX-License-Identifier: Apache-2.0
"""What was measured, on the terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figures import HEAD, SECTIONS, Figure, Ratio, number, rows
from tests.embedded import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
RATIOS = ROOT / "tests" / "benchmarks" / "ratios.json"

INTRODUCTION = """\
# Benchmarks

How much time the tests add to the time that the cluster needs, and how they compare with other tools. This measures all
of it on the embedded cluster, in one run on one machine:

<!-- skip: it takes an hour -->
```bash
.venv/bin/python -m tests.benchmarks --document
```

`--only a,g` measures some sections, the others stay as they are; `--scale 0.2` repeats less often. Figures depend on
the machine, ratios hardly do; the load beside which a section was measured is that of the last minutes.
`--compare` exits with 1 if a ratio is more than 50 % worse than the published one.
"""


def as_text(figures: Sequence[Figure], ratios: Sequence[Ratio]) -> str:
    """Aligned columns, a block a section."""
    lines = []
    for section, title in SECTIONS.items():
        chosen = [one for one in figures if one.section == section]
        if not chosen:
            continue
        table = [HEAD, *rows(chosen)]
        widths = [max(len(row[column]) for row in table) for column in range(len(HEAD))]
        lines += ["", f"{section}. {title}"]
        for name, *cells in table:
            right = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
            lines.append(f"{name.ljust(widths[0])}  {right}")
    if ratios:
        lines += ["", "Ratios", *(f"{one.name}: {number(one.value)}" for one in ratios)]
    return "\n".join(lines)


def as_markdown(
    figures: Sequence[Figure], ratios: Sequence[Ratio], notes: dict[str, str], former: str = "", load: float = 0.0
) -> str:
    """The page ``docs/benchmarks.md``; ``notes`` has what stands under a section's title.

    Sections of the ``former`` page stay where there are no new ``figures``. ``load`` is that of the machine meanwhile.
    """
    where = f"{os.cpu_count()} cores ({_processor()}), Python {platform.python_version()}"
    stay = sections_of(former)
    parts = [INTRODUCTION]
    for section, title in SECTIONS.items():
        chosen = [one for one in figures if one.section == section]
        if chosen:
            measured = f"Measured on {where}, beside a load of {load:.1f}.\n"
            note = [notes[section], ""] if notes.get(section) else []
            parts += [f"## {section}. {title}\n", *note, measured, _table(HEAD, rows(chosen))]
        elif section in stay:
            parts.append(stay[section])
    if ratios:
        parts += ["## Ratios\n", _table(("ratio", "value"), [(one.name, number(one.value)) for one in ratios])]
    return "\n".join(parts)


def sections_of(page: str) -> dict[str, str]:
    """The sections of a page by their letters, each with its title."""
    blocks = re.split(r"^(?=## )", page, flags=re.MULTILINE)
    return {block[3]: block.rstrip("\n") + "\n" for block in blocks if re.match(r"## [a-z]\. ", block)}


def write(figures: Sequence[Figure], ratios: Sequence[Ratio], notes: dict[str, str], load: float = 0.0) -> None:
    """The page, and beside this module the ratios for `compare`; what was not measured now stays as it is."""
    fresh = {one.name: one for one in ratios}
    kept = [fresh.pop(one.name, one) for one in published()]
    merged = [*kept, *fresh.values()]
    former = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    PAGE.write_text(as_markdown(figures, merged, notes, former, load), encoding="utf-8")
    RATIOS.write_text(json.dumps([one.as_data() for one in merged], indent=1) + "\n", encoding="utf-8")


def published(path: Path = RATIOS) -> list[Ratio]:
    """The ratios of the last published run; none before the first one."""
    if not path.is_file():
        return []
    return [Ratio(**one) for one in json.loads(path.read_text(encoding="utf-8"))]


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
