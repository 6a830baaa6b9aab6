# SPDX-License-Identifier: Apache-2.0
"""What the pages of a run share: their frame, their colours, and how ids, links and code look in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from testplan.results import Outcome

_CODE = re.compile(r"`([^`]+)`")
_ID = re.compile(r"\b((?:nad|cnv|vep|virtstrat)-\d+|R\d+)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Links:
    """Robot's pages as seen from ours; "": that page is not there, and nothing leads to it."""

    log: str = ""
    report: str = ""

    def test(self, outcome: Outcome, words: str = "") -> str:
        """The name of a test, or other words for it, as a link to it in the log."""
        return self._to(outcome.id, words or outcome.name)

    def charts(self, outcome: Outcome) -> Iterator[str]:
        """Links to the charts that the log has of a test, and to the evidence that was kept of it."""
        if self.log:
            yield from (self._to(place, kind) for kind, place in outcome.charts.items())
        if outcome.evidence:
            yield f'<a href="{escape(outcome.evidence)}">evidence</a>'

    def _to(self, place: str, words: str) -> str:
        return f'<a href="{escape(self.log)}#{escape(place)}">{escape(words)}</a>' if self.log else escape(words)


def page(title: str, body: str, style: str = "") -> str:
    """One HTML file that needs nothing else."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{_STYLE}{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def prose(text: str) -> str:
    """Text with what stands between backticks as code, and ids that are not broken at their hyphen."""
    parts = _CODE.split(escape(text))
    return "".join(f"<code>{part}</code>" if number % 2 else unbroken(part) for number, part in enumerate(parts))


def unbroken(text: str) -> str:
    """HTML in which ids stay on one line."""
    return _ID.sub(r'<span class="id">\1</span>', text)


def badge(word: str) -> str:
    """A verdict in its colour."""
    return f'<b class="{css(word)}">{escape(word)}</b>'


def banner(where: str) -> str:
    """Says at the top that no real cluster was tested, and what was wrong with it on purpose; "" of a real one."""
    return f'<p class="banner">{escape(where[:1].upper() + where[1:])}.</p>' if where else ""


def facts(pairs: Mapping[str, str]) -> str:
    """A list of names and values."""
    lines = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in pairs.items())
    return f"<dl>{''.join(lines)}</dl>"


def css(word: str) -> str:
    """The class of a verdict."""
    return word.lower().replace(" ", "-")


def sentence(text: str) -> str:
    """Text that begins with a capital and ends with a full stop."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


_STYLE = """
:root { color-scheme: light dark; --good: #0a7d33; --bad: #c01828; --wait: #8f4e00; --suite: #7a3fb0; }
@media (prefers-color-scheme: dark) { :root { --good: #5fd38a; --bad: #ff7b86; --wait: #ffb454; --suite: #cfa6ff; } }
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; margin: 0 0 .3em; }
h2 { font-size: 1.05em; margin: 1.2em 0 .2em; }
p, ul { margin: .2em 0; }
li, td, dd { overflow-wrap: anywhere; }
code { overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin-top: .6em; }
th, td { border-bottom: 1px solid #8886; padding: .2em .9em .2em 0; text-align: left; vertical-align: top; }
th, .id { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content auto; gap: .05em 1em; margin: .6em 0; }
dt { font-weight: 600; }
dd { margin: 0; }
b { white-space: nowrap; }
b.pass, b.proven { color: var(--good); }
b.fail, b.failed { color: var(--bad); }
b.lab-error, b.not-proven, b.interrupted, b.partial, b.partly-proven, b.not-judged { color: var(--wait); }
b.test-error { color: var(--suite); }
.banner { border-left: .3em solid var(--wait); padding: .1em .6em; font-weight: 600; }
.legend { font-size: .9em; opacity: .8; }
.why { opacity: .8; }
"""
