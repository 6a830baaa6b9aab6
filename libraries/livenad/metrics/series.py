# SPDX-License-Identifier: Apache-2.0
"""Series of KubeVirt's metrics, parsed from the answer of a source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from livenad.api.kinds import dig

Labels = Mapping[str, str]

NAME = "__name__"
VMI_METRIC = "kubevirt_vmi_vnic_info"
VM_METRIC = "kubevirt_vm_vnic_info"
POD_NETWORK = "pod networking"
"""The name of the pod network in both metrics."""

_LINE = re.compile(r"(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+\S+")
_LABEL = re.compile(r'(?P<name>[a-zA-Z_]\w*)="(?P<value>(?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")


class Unread(Exception):
    """A source gave no usable answer; the message says which and why."""


@dataclass(frozen=True, order=True)
class Vnic:
    """The labels of one NIC's series.

    Other labels belong to the scrape (pod, instance, ...) or exist only in some versions (model): two series that
    differ only in those are equal.
    """

    name: str
    network: str
    binding_type: str
    binding_name: str

    @classmethod
    def of(cls, labels: Labels) -> Vnic:
        keys = ("vnic_name", "network", "binding_type", "binding_name")
        return cls(*(labels.get(key, "") for key in keys))

    def __str__(self) -> str:
        return f'NIC "{self.name}" on "{self.network}" ({self.binding_type} {self.binding_name})'


def vnics(series: Iterable[Labels]) -> frozenset[Vnic]:
    """The different statements that series make."""
    return frozenset(Vnic.of(labels) for labels in series)


def read_exposition(text: str) -> list[dict[str, str]]:
    """Prometheus' text format: the labels of each sample, with the metric's name as ``__name__``."""
    found = []
    for line in text.splitlines():
        sample = _LINE.match(line)
        if sample is None or line.startswith("#"):
            continue
        labels = {label["name"]: _unescape(label["value"]) for label in _LABEL.finditer(sample["labels"] or "")}
        found.append({NAME: sample["name"], **labels})
    return found


def read_vector(status: int, text: str) -> list[dict[str, str]]:
    """An answer of Prometheus' HTTP API to an instant query. Raises Unread for a refusal and for what is no vector."""
    try:
        answer = json.loads(text)
        said = answer["status"] if status < 400 or "error" in answer else ""
    except (ValueError, TypeError, KeyError):
        raise Unread(f"it answers {status}: {_first_line(text)}") from None
    if said != "success":
        why = f"{answer.get('errorType', '')}: {answer.get('error', '')}" if said else answer.get("message", "")
        raise Unread(f"it answers {status}: {why or _first_line(text)}")
    if (sort := dig(answer, "data", "resultType")) != "vector":
        raise Unread(f"it answers with a {sort or 'success without data'}, not with a vector")
    return [dict(dig(entry, "metric") or {}) for entry in dig(answer, "data", "result") or []]


def selector(metric: str, labels: Labels) -> str:
    """An instant selector of PromQL."""
    inside = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())
    return f"{metric}{{{inside}}}"


def chosen(series: Iterable[dict[str, str]], metric: str, labels: Labels) -> list[dict[str, str]]:
    """What a selector would choose of series."""
    wanted = {NAME: metric, **labels}
    return [found for found in series if all(found.get(name) == value for name, value in wanted.items())]


def _unescape(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)


def _first_line(text: str) -> str:
    return next((line.strip()[:200] for line in text.splitlines() if line.strip()), "nothing")
