# SPDX-License-Identifier: Apache-2.0
"""Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.controlplane.metrics.samples import Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(found: Iterable[Sample]) -> str:
    """All samples, grouped by metric, each group with its type."""
    groups: dict[str, list[Sample]] = {}
    for sample in found:
        groups.setdefault(sample.metric, []).append(sample)
    lines = []
    for metric in sorted(groups):
        lines.append(f"# TYPE {metric} gauge")
        lines += [_line(sample) for sample in groups[metric]]
    return "\n".join([*lines, ""])


def _line(sample: Sample) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(sample.labels.items()))
    return f"{sample.metric}{'{' + labels + '}' if labels else ''} {_number(sample.value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
