# SPDX-License-Identifier: Apache-2.0
"""The outcome of a comparison: how many values, which differ, which may, and which must not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from livenad.errors import ProductFault
from livenad.invariants.may_differ import MayDiffer

_CONDITION = re.compile(r"status\.conditions\[[^\]]*\]")
_LONGEST_VALUE = 200
_FURTHER = 8
"""Further findings that a message has."""


@dataclass(frozen=True)
class Difference:
    """A value that differs in some state from what was recorded; ``now`` is that of the state told.

    ``entry`` is what allows it; ``finding`` says what must not be, "" for what is allowed or not judged. ``passing``
    says that it changed meanwhile, and that the newest state is as before.
    """

    subject: str
    path: str
    was: object
    now: object
    entry: MayDiffer | None = None
    finding: str = ""
    passing: bool = False

    def __str__(self) -> str:
        return f"{self.subject} {self.path} was {text_of(self.was)}, {self.finding or f'is {text_of(self.now)}'}"


@dataclass
class Comparison:
    """``compared`` counts the values; ``differences`` has each that differs once."""

    compared: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def findings(self) -> list[Difference]:
        """What must not differ."""
        return [one for one in self.differences if one.finding]

    @property
    def allowed(self) -> list[Difference]:
        """What differs as it may."""
        return [one for one in self.differences if one.entry and not one.finding]

    @property
    def told(self) -> list[Difference]:
        """What is not judged."""
        return [one for one in self.differences if not one.entry and not one.finding]

    def with_all_of(self, other: Comparison) -> Comparison:
        """Both together."""
        return Comparison(self.compared + other.compared, [*self.differences, *other.differences])

    def line(self) -> str:
        """``412 values compared: 9 changed in ways that a network change may cause``."""
        wrong = f"{len(self.findings)} changed and must not, " if self.findings else ""
        also = f"; {len(self.told)} more changed and are not judged" if self.told else ""
        may = f"{len(self.allowed)} changed in ways that a network change may cause"
        return f"{self.compared} values compared: {wrong}{may}{also}"

    def table(self) -> list[str]:
        """A line for each value that differs: the forbidden, the allowed with its reason, what is not judged."""
        lines = [f"MUST NOT    {one}" for one in self.findings]
        for one in self.allowed:
            now = f"changed meanwhile, then back to {text_of(one.was)}" if one.passing else text_of(one.now)
            reason = one.entry.reason if one.entry else ""
            lines.append(f"may         {one.subject} {one.path}: {text_of(one.was)} -> {now}. {reason}")
        return lines + [f"not judged  {one}" for one in self.told]


def judge_unchanged(comparison: Comparison, title: str) -> str:
    """Nothing differs but what may. Raises ProductFault whose first line has the first finding."""
    if lines := list(_grouped(comparison.findings).values()):
        first, *others = lines
        also = "".join(f"\nalso: {line}" for line in others[:_FURTHER])
        also += f"\nand {len(others) - _FURTHER} more, in the table of the log" if len(others) > _FURTHER else ""
        raise ProductFault(f"{title}: expected nothing else to change with the network; {first}{also}")
    return f"{title}: {comparison.line()}"


def _grouped(findings: Sequence[Difference]) -> dict[tuple[str, str], str]:
    """One line for each condition, that of its status where it differs; one for each other value."""
    lines: dict[tuple[str, str], str] = {}
    for one in findings:
        condition = _CONDITION.match(one.path)
        key = (one.subject, condition.group(0) if condition else one.path)
        if key not in lines or one.path.endswith("].status"):
            lines[key] = str(one)
    return lines


def text_of(value: object) -> str:
    """A value for a message."""
    if value is None:
        return "not set"
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
