# SPDX-License-Identifier: Apache-2.0
"""The first page of evidence: the failure, diagnostics, the timeline, then the files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from livenad.errors import LAB_ERROR_PREFIX, TEST_ERROR_PREFIX

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5em auto; max-width: 66em; padding: 0 1em; }
h1 { font-size: 1.15em; overflow-wrap: anywhere; border-left: .3em solid #d9434e; padding-left: .6em; }
h2 { font-size: 1.05em; margin-bottom: .3em; }
dl { display: grid; grid-template-columns: max-content auto; gap: .05em 1em; margin: .8em 0; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
pre { overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
li { overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; }
td, th { padding: .15em 1em .15em 0; text-align: left; vertical-align: top; }
td.size { text-align: right; white-space: nowrap; }
footer { opacity: .75; margin-top: 2em; }
"""


@dataclass(frozen=True)
class Failure:
    """What failed: the test or suite, its step, and the whole message; ``rows`` are its requirements."""

    where: str
    step: str
    message: str
    rows: str = ""


@dataclass(frozen=True)
class File:
    """A file of the folder; ``size`` is None when it could not be collected, and ``remark`` says why."""

    name: str
    title: str
    size: int | None
    remark: str = ""


def page(
    failure: Failure,
    findings: Sequence[str],
    charts: Sequence[str],
    files: Sequence[File],
    footer: str,
    *,
    facts: Mapping[str, str],
    differs: Sequence[str] = (),
) -> str:
    """One self-contained HTML file; ``charts`` are HTML, ``facts`` tell where and when.

    ``differs`` is what must not differ from the record and does; it comes first.

    What is in ``nav`` is completed when the run has ended: whose fault it is, and links back to test and sign-off.
    """
    first, _, rest = failure.message.partition("\n")
    listed = "".join(f"<li>{escape(sign)}</li>" for sign in findings) or "<li>no problem was found in the record</li>"
    rows = "".join(map(_row, files))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evidence: {escape(failure.where)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(first)}</h1>
<nav id="back">{escape(_blame(failure.message))}</nav>
<p>{escape(failure.where)}, step <b>{escape(failure.step)}</b></p>
{f"<details><summary>The rest of the message</summary><pre>{escape(rest)}</pre></details>" if rest else ""}
{_list("What differs from the record", differs)}<h2>What looks wrong</h2>
<ul id="signs">{listed}</ul>
<dl>{_facts({"Requirements": failure.rows, **facts})}</dl>
{"".join(charts)}
<h2>Files</h2>
<table><thead><tr><th>file</th><th>size</th><th>what it is</th></tr></thead><tbody>{rows}</tbody></table>
<footer>{escape(footer)}</footer>
</body>
</html>
"""


def _list(title: str, lines: Sequence[str]) -> str:
    entries = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<h2>{title}</h2>\n<ul id="differs">{entries}</ul>\n' if lines else ""


def _blame(message: str) -> str:
    """Whose fault it is, as far as the message tells: Robot has words of its own for what is wrong with a suite."""
    if message.startswith(LAB_ERROR_PREFIX):
        return "The lab is at fault; nothing is said of the product."
    if message.startswith(TEST_ERROR_PREFIX):
        return "The suite is wrong; nothing is said of the product."
    return "The product failed a test, unless the message is Robot's own about a mistake in the suite."


def _facts(facts: Mapping[str, str]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value)


def _row(file: File) -> str:
    name = escape(file.name)
    link = f'<a href="{name}">{name}</a>' if file.size is not None else name
    size = "" if file.size is None else f"{file.size:,}".replace(",", " ")
    what = escape(file.title) + (f" <i>({escape(file.remark)})</i>" if file.remark else "")
    return f'<tr><td>{link}</td><td class="size">{size}</td><td>{what}</td></tr>'
