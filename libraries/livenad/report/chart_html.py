# SPDX-License-Identifier: Apache-2.0
"""A chart as a piece of HTML: the picture, the same in words folded below it, a link to the data."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def chart_html(svg: str, title: str, lines: Sequence[str], data: str = "") -> str:
    """``data`` is the name of a file beside the page, "" for none."""
    link = f'<p>Data: <a href="{escape(data)}">{escape(data)}</a></p>' if data else ""
    words = escape("\n".join(lines))
    return f"{svg}<details><summary>{escape(title)}</summary><pre>{words}</pre></details>{link}"
