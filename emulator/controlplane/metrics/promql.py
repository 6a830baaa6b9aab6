# SPDX-License-Identifier: Apache-2.0
"""The subset of PromQL that clients use here: instant selectors, and aggregations over them by label."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Labels = dict[str, str]
Vector = list[tuple[Labels, float]]
"""Label sets, the metric's name among them as ``__name__``, with their values."""

NAME = "__name__"
_TOKEN = re.compile(
    r"""\s*(?:(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')"""
    r"""|(?P<sign>=~|!~|!=|[={}(),]))"""
)
_ESCAPE = re.compile(r"\\(.)")
_FOLDS: dict[str, Callable[[list[float]], float]] = {
    "count": lambda values: float(len(values)),
    "group": lambda _: 1.0,
    "max": max,
    "min": min,
    "sum": sum,
}


class BadQuery(ValueError):
    """A query that Prometheus refuses; the message is Prometheus'."""


@dataclass(frozen=True)
class Matcher:
    """One ``label="value"`` of a selector."""

    label: str
    sign: str
    value: str

    def matches(self, labels: Labels) -> bool:
        found = labels.get(self.label, "")
        if self.sign in ("=", "!="):
            return (found == self.value) == (self.sign == "=")
        return (re.fullmatch(self.value, found) is not None) == (self.sign == "=~")

    @property
    def takes_nothing(self) -> bool:
        return self.matches({})


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    column: int


def evaluate(query: str, samples: Iterable[tuple[Labels, float]]) -> Vector:
    """The answer of an instant query. BadQuery if it cannot be parsed."""
    parser = _Parser(query, list(samples))
    result = parser.expression()
    parser.end()
    return result


class _Parser:
    def __init__(self, query: str, samples: Vector) -> None:
        self._samples = samples
        self._tokens = list(_tokens(query))
        self._next = 0

    def expression(self) -> Vector:
        token = self._peek()
        if token.text == "(":
            self._take("(")
            inner = self.expression()
            self._take(")")
            return inner
        after = self._peek(1)
        if token.kind == "word" and token.text in _FOLDS and (after.text in ("by", "(")):
            return self._aggregation()
        return self._selector()

    def end(self) -> None:
        token = self._peek()
        if token.kind != "end":
            raise _unexpected(token)

    def _aggregation(self) -> Vector:
        fold = _FOLDS[self._take("word").text]
        by = self._by() if self._peek().text == "by" else None
        self._take("(")
        inner = self.expression()
        self._take(")")
        if by is None:
            by = self._by() if self._peek().text == "by" else []
        groups: dict[tuple[tuple[str, str], ...], list[float]] = {}
        for labels, value in inner:
            key = tuple((name, labels[name]) for name in by if labels.get(name))
            groups.setdefault(key, []).append(value)
        return [(dict(key), fold(values)) for key, values in groups.items()]

    def _by(self) -> list[str]:
        self._take("word")
        self._take("(")
        found = []
        while self._peek().text != ")":
            found.append(self._take("word").text)
            if self._peek().text != ")":
                self._take(",")
        self._take(")")
        return found

    def _selector(self) -> Vector:
        begin = self._peek()
        matchers = []
        if begin.kind == "word":
            matchers.append(Matcher(NAME, "=", self._take("word").text))
        elif begin.text != "{":
            raise _unexpected(begin)
        if self._peek().text == "{":
            self._take("{")
            while self._peek().text != "}":
                matchers.append(self._matcher())
                if self._peek().text != "}":
                    self._take(",")
            self._take("}")
        if all(matcher.takes_nothing for matcher in matchers):
            raise BadQuery(
                f"1:{begin.column}: parse error: vector selector must contain at least one non-empty matcher"
            )
        return [entry for entry in self._samples if all(matcher.matches(entry[0]) for matcher in matchers)]

    def _matcher(self) -> Matcher:
        label = self._take("word").text
        sign = self._take("sign")
        if sign.text not in ("=", "!=", "=~", "!~"):
            raise _unexpected(sign)
        value = _ESCAPE.sub(r"\1", self._take("text").text[1:-1])
        if sign.text in ("=~", "!~"):
            try:
                re.compile(value)
            except re.error as error:
                raise BadQuery(f"1:{sign.column}: parse error: error parsing regexp: {error}") from None
        return Matcher(label, sign.text, value)

    def _peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def _take(self, expected: str) -> Token:
        token = self._peek()
        if expected not in (token.kind, token.text):
            raise _unexpected(token)
        self._next += 1
        return token


def _tokens(query: str) -> Iterable[Token]:
    at = 0
    while query[at:].strip():
        found = _TOKEN.match(query, at)
        if not found:
            column = at + len(query[at:]) - len(query[at:].lstrip())
            raise BadQuery(f"1:{column + 1}: parse error: unexpected character: {query[column]!r}")
        kind = str(found.lastgroup)
        yield Token(kind, found[kind], found.start(kind) + 1)
        at = found.end()
    yield Token("end", "", len(query) + 1)


def _unexpected(token: Token) -> BadQuery:
    shown = "end of input" if token.kind == "end" else f'"{token.text}"'
    return BadQuery(f"1:{token.column}: parse error: unexpected {shown}")
