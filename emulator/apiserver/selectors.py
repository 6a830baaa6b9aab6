# SPDX-License-Identifier: Apache-2.0
"""Label and field selectors: text to predicate."""

from __future__ import annotations

import re
from collections.abc import Callable

from .objects import Obj, get_path
from .registry import Resource
from .status_errors import bad_request

Predicate = Callable[[Obj], bool]
Labels = dict[str, str]
Requirement = Callable[[Labels], bool]

_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_TOKEN = re.compile(r"\s*(==|=|!=|!|\(|\)|,|<|>|[^\s=!(),<>]+)")
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


class _Parser:
    """The grammar of label selectors, read from words."""

    def __init__(self, text: str) -> None:
        self.words = _TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self) -> str:
        word = self.peek()
        self.at += 1
        return word

    def parse(self) -> list[Requirement]:
        found = []
        while self.at < len(self.words):
            found.append(self.requirement())
            word = self.take()
            if word not in ("", ","):
                raise ValueError(f"found '{word}', expected: ',' or 'end of string'")
            if word == "," and not self.peek():
                raise ValueError("found '', expected: identifier after ','")
        return found

    def requirement(self) -> Requirement:
        negated = self.peek() == "!"
        if negated:
            self.take()
        key = self.take()
        if not key or key in "=!(),<>" or key == "==":
            raise ValueError(f"found '{key}', expected: !, identifier, or 'end of string'")
        if negated:
            return lambda labels: key not in labels
        operator = self.peek()
        if operator in ("", ","):
            return lambda labels: key in labels
        self.take()
        if operator in ("=", "==", "!="):
            return self.equality(key, operator)
        if operator in ("in", "notin"):
            values = self.values()
            if operator == "in":
                return lambda labels: labels.get(key) in values
            return lambda labels: labels.get(key) not in values
        if operator in ("<", ">"):
            return self.comparison(key, operator)
        raise ValueError(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")

    def equality(self, key: str, operator: str) -> Requirement:
        value = self.take() if self.peek() not in ("", ",") else ""
        if value in ("=", "==", "!=", "!", "(", ")"):
            raise ValueError(f"found '{value}', expected: identifier")
        check_value(key, value)
        if operator == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value

    def comparison(self, key: str, operator: str) -> Requirement:
        limit = int(self.take())

        def compare(labels: Labels) -> bool:
            try:
                number = int(labels.get(key, ""))
            except ValueError:
                return False
            return number > limit if operator == ">" else number < limit

        return compare

    def values(self) -> set[str]:
        if self.take() != "(":
            raise ValueError(f"found '{self.words[self.at - 1] if self.at <= len(self.words) else ''}' expected: '('")
        found: set[str] = set()
        while True:
            word = self.take()
            if word in (")", ""):
                if not word:
                    raise ValueError("found '', expected: ',' or ')'")
                return found or {""}
            if word != ",":
                found.add(word)


def check_value(key: str, value: str) -> None:
    """ValueError when ``value`` can be no label's value."""
    if not _LABEL_VALUE.fullmatch(value):
        raise ValueError(f'values[0][{key}]: Invalid value: "{value}": {VALUE_RULE}')


def parse_labels(text: str) -> list[Requirement]:
    """ValueError names the first thing that is wrong."""
    return _Parser(text).parse()


def parse_fields(text: str) -> list[tuple[str, str, bool]]:
    """(path, value, equal?) for each term; ValueError names a bad term."""
    found = []
    for term in text.split(","):
        if not term:
            continue
        for operator, equal in (("!=", False), ("==", True), ("=", True)):
            path, sign, value = term.partition(operator)
            if sign:
                found.append((path, value, equal))
                break
        else:
            raise ValueError(f"invalid selector: '{term}'; can't understand '{term}'")
    return found


def compile_selectors(resource: Resource, labels: str = "", fields: str = "") -> Predicate | None:
    """One predicate for both selectors, None when they select everything; ApiError 400 for a bad selector."""
    try:
        required = parse_labels(labels) if labels else []
    except ValueError as error:
        raise bad_request(f"unable to parse requirement: {error}") from None
    terms = field_terms(resource, fields) if fields else []
    if not required and not terms:
        return None

    def matches(obj: Obj) -> bool:
        mine = obj["metadata"].get("labels") or {}
        if not all(requirement(mine) for requirement in required):
            return False
        return all((field_text(obj, path) == value) is equal for path, value, equal in terms)

    return matches


def field_terms(resource: Resource, fields: str) -> list[tuple[str, str, bool]]:
    """The terms of a field selector, checked against what the resource can select by."""
    try:
        terms = parse_fields(fields)
    except ValueError as error:
        raise bad_request(str(error)) from None
    allowed = {"metadata.name", *(("metadata.namespace",) if resource.namespaced else ()), *resource.selectable}
    for path, _, _ in terms:
        if path not in allowed:
            said = f"field label not supported: {path}"
            if not resource.custom:
                said = f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'
                said = said if not resource.selectable else f"field label not supported: {path}"
            raise bad_request(said)
    return terms


def field_text(obj: Obj, path: str) -> str:
    """A field's value as a selector compares it."""
    value = get_path(obj, path)
    if value is None:
        return "false" if path in ("spec.unschedulable", "spec.hostNetwork") else ""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def matches_selector(selector: Obj, labels: Labels) -> bool:
    """Whether a selector of the API (``matchLabels``, ``matchExpressions``) matches; an empty one matches all."""
    wanted = selector.get("matchLabels") or {}
    rules = selector.get("matchExpressions") or []
    return all(labels.get(k) == v for k, v in wanted.items()) and all(holds(rule, labels) for rule in rules)


def holds(rule: Obj, labels: Labels) -> bool:
    """One match expression; an operator that does not exist matches nothing."""
    key, values = rule["key"], rule.get("values") or []
    found = {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return found.get(rule["operator"], False)
