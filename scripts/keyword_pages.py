"""Writes docs/keywords/LIBRARY.md, the keyword reference as Libdoc reads it from the libraries, for reading on the web.

    python keyword_pages.py [FOLDER]

Libdoc's own Markdown keeps documentation as it is, and so does not show Robot's format as it is meant.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "libraries"))

from robot.libdocpkg import LibraryDocumentation  # noqa: E402

LIBRARIES = ("KubeVirtLibrary", "GuestLibrary")
_LINK = re.compile(r"(?<!`)`([^`]+)`(?!`)", re.DOTALL)
_HEADING = re.compile(r"=(.+)=")
_BOLD = re.compile(r"(?<![\w*])\*(\S[^*\n]*)\*(?![\w*])")


def pages() -> dict[str, str]:
    """Each page's text by its file name."""
    libraries = [LibraryDocumentation(name) for name in LIBRARIES]
    targets = {keyword.name: f"{one.name}.md#{anchor(keyword.name)}" for one in libraries for keyword in one.keywords}
    return {f"{one.name}.md": _page(one, targets) for one in libraries}


def _page(library: Any, targets: dict[str, str]) -> str:
    here = f"{library.name}.md#"
    links = {name: target.removeprefix(here[:-1]) for name, target in targets.items()}
    tags = sorted({tag for keyword in library.keywords for tag in keyword.tags})
    index = [
        f"- *{tag}*: " + ", ".join(f"[{one.name}]({links[one.name]})" for one in library.keywords if tag in one.tags)
        for tag in tags
    ]
    values = {
        one.name: " or ".join(f"`{item.name}`" for item in one.members) for one in library.type_docs if one.members
    }
    keywords = [part for keyword in library.keywords for part in _keyword(keyword, links, values)]
    note = "<!-- Written by scripts/docs.sh from the libraries: change it there. -->"
    blocks = [f"# {library.name}", note, *_blocks(library.doc, links), "## By tag", "\n".join(index), "## Keywords"]
    return "\n\n".join([*blocks, *keywords]) + "\n"


def _keyword(keyword: Any, links: dict[str, str], values: dict[str, str]) -> Iterator[str]:
    yield f"### {keyword.name}"
    arguments = [argument for argument in keyword.args if argument.name]
    yield "```robotframework\n" + "    ".join([keyword.name, *map(_given, arguments)]) + "\n```"
    types = {argument.name: values.get(str(argument.type), _type(argument.type)) for argument in arguments}
    yield from _blocks(keyword.doc, links, types)


def _given(argument: Any) -> str:
    """How it is given: by name where it has to be, with the value that counts where it is not given."""
    if argument.kind == argument.VAR_POSITIONAL:
        return f"*{argument.name}"
    if argument.default_repr is None:
        return str(argument.name) + ("=" if argument.kind == argument.NAMED_ONLY else "")
    return f"{argument.name}={argument.default_repr or '${EMPTY}'}"


def _type(info: Any) -> str:
    return "" if info is None else "`" + str(info).replace("|", "\\|") + "`"


def _blocks(doc: str, links: dict[str, str], types: dict[str, str] | None = None) -> Iterator[str]:
    for is_table, lines in groupby(doc.splitlines(), key=lambda line: line.startswith("|")):
        if is_table:
            yield _table([_markdown(line, links) for line in lines], types or {})
        else:
            yield from (_markdown(part.strip("\n"), links) for part in _paragraphs(lines))


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    yield from (part for part in re.split(r"\n\s*\n", "\n".join(lines)) if part.strip())


def _table(lines: list[str], types: dict[str, str]) -> str:
    rows = [[cell.strip() for cell in line.rstrip()[1:-1].split(" | ")] for line in lines]
    if _HEADING.fullmatch(rows[0][0]):
        head = [_HEADING.sub(r"\1", cell) for cell in rows.pop(0)]
    else:
        head = ["Argument", "Type", "Meaning"]
        rows = [[name, types.get(name.strip("`"), ""), *rest] for name, *rest in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _markdown(text: str, links: dict[str, str]) -> str:
    def linked(match: re.Match[str]) -> str:
        name = " ".join(match[1].split())
        return f"[{name}]({links[name]})" if name in links else f"*{name}*"

    parts = re.split(r"(``.+?``)", text, flags=re.DOTALL)
    for number in range(0, len(parts), 2):
        parts[number] = _LINK.sub(linked, _BOLD.sub(r"**\1**", parts[number]))
    return "".join(f"`{part[2:-2]}`" if number % 2 else part for number, part in enumerate(parts))


def anchor(heading: str) -> str:
    """Of a heading, as forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "keywords"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        print(folder / name)


if __name__ == "__main__":
    main()
