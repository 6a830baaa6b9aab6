# SPDX-License-Identifier: Apache-2.0
"""Writes the keyword reference, as Libdoc reads it from libraries and resources, to docs/keywords.

    python keyword_pages.py [FOLDER]

- NAME.md for reading on the web. A library's chapters are its topics, in the order in which its facade names them; each
  is one file of the library. Libdoc's own Markdown does not render tables, links and code in Robot's format.
- NAME.html, Libdoc's own page with a search, for each library. It is written only when the keywords have changed.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "libraries"))

from robot.libdocpkg import LibraryDocumentation  # noqa: E402

LIBRARIES = ("KubeVirtLibrary", "GuestLibrary")
RESOURCES = "Resources"
KINDS = ("core", "scenario")
"""Tags that say whether a keyword is of general use; its other tag is its topic."""

_NOTE = "<!-- Written by scripts/docs.sh from the libraries and resources: change it there. -->"
_RESOURCES_TEXT = """\
Keywords that are written in Robot Framework. `KubeVirtLibrary/scenario.resource` is shipped with the library; those in
`resources/` belong to the suites of this project."""
_LINK = re.compile(r"(?<!`)`([^`]+)`(?!`)", re.DOTALL)
_HEADING = re.compile(r"=(.+)=")
_SECTION = re.compile(r"= (.+) =")
_TABLE_ROW = re.compile(r"\|(.* |)\|")
_HTML_DATA = re.compile(r"libdoc = (\{.*\})\s*(?:;|</script>)")
_IGNORED = ("generated", "lineno")
_BOLD = re.compile(r"(?<![\w*])\*(\S[^*\n]*)\*(?![\w*])")
_LITERAL = re.compile(r"(list\[)?Literal\[([^\]]*)\]+")

_LISTED = 12
"""A type that more keywords use is one of many."""

Links = Mapping[str, str]


def topics(library: str) -> list[str]:
    """The topics of a library: its keyword files in the order of the facade, with spaces."""
    facade = getattr(importlib.import_module(library), library)()
    modules = dict.fromkeys(type(method.__self__).__module__ for method in facade.keywords.values())
    return [module.rpartition(".")[2].replace("_", " ") for module in modules]


def resource_files() -> list[Path]:
    """The shared resources: what is shipped with the library comes first."""
    shipped = sorted((ROOT / "libraries").glob("*/*.resource"))
    return [*shipped, *sorted((ROOT / "resources").glob("*.resource"))]


def pages() -> dict[str, str]:
    """Each page's text by its file name."""
    libraries = [LibraryDocumentation(name) for name in LIBRARIES]
    resources = {path: LibraryDocumentation(str(path)) for path in resource_files()}
    targets = {
        keyword.name: f"{name}.md#{anchor(keyword.name)}"
        for name, one in [*((one.name, one) for one in libraries), *((RESOURCES, one) for one in resources.values())]
        for keyword in one.keywords
    }
    made = {f"{one.name}.md": _library(one, targets) for one in libraries}
    return {**made, f"{RESOURCES}.md": _resources(resources, targets)}


def html(name: str) -> str:
    """Libdoc's page of a library, with its sources relative to the project."""
    library: Any = LibraryDocumentation(name)
    for one in (library, *library.keywords):
        one.source = Path(one.source).relative_to(ROOT).as_posix()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.html")
        library.save(str(path), "HTML")
        return path.read_text(encoding="utf-8")


def html_data(page: str) -> Any:
    """What a page of `html` says of the library, without the time at which it was made and line numbers."""
    found = _HTML_DATA.search(page)
    if found is None:
        raise ValueError("this is no page of Libdoc")
    return json.loads(found[1], object_pairs_hook=lambda pairs: {k: v for k, v in pairs if k not in _IGNORED})


def _library(library: Any, targets: Links) -> str:
    links = _links(library.name, targets)
    types = [one for one in library.type_docs if one.members or one.type == "Custom"]
    type_links = {one.name: f"#{anchor(one.name)}" for one in types}
    chapters = {topic: _of_topic(library, topic) for topic in topics(library.name)}
    blocks = [f"# {library.name}", _NOTE, *_blocks(library.doc, links)]
    for topic, keywords in chapters.items():
        blocks.append(f"## {topic.capitalize().replace('Nic ', 'NIC ').replace(' vms', ' VMs')}")
        blocks += [part for keyword in keywords for part in _keyword(keyword, links, type_links)]
    blocks.append("## Types")
    for one in sorted(types, key=lambda item: str(item.name)):
        blocks += _type_chapter(one, links)
    return "\n\n".join(blocks) + "\n"


def _resources(resources: Mapping[Path, Any], targets: Links) -> str:
    links = _links(RESOURCES, targets)
    blocks = [f"# {RESOURCES}", _NOTE, _RESOURCES_TEXT]
    for path, resource in resources.items():
        blocks.append(f"## {path.name}")
        blocks.append(f"`Resource    {path.relative_to(ROOT).as_posix().removeprefix('libraries/')}`")
        blocks += _blocks(resource.doc, links)
        for keyword in sorted(resource.keywords, key=lambda one: int(one.lineno)):
            blocks += _keyword(keyword, links, {})
    return "\n\n".join(blocks) + "\n"


def _links(page: str, targets: Links) -> Links:
    return {name: target.removeprefix(f"{page}.md") for name, target in targets.items()}


def _of_topic(library: Any, topic: str) -> list[Any]:
    """The keywords of a topic in the order of its file. ValueError for one that has not the tag of its topic."""
    stem = topic.replace(" ", "_")
    found = [keyword for keyword in library.keywords if Path(keyword.source).stem == stem]
    for keyword in found:
        if sorted(keyword.tags) != sorted([topic, _kind(keyword)]):
            raise ValueError(f"{keyword.name} is tagged {list(keyword.tags)}; expected {topic}, and core or scenario")
    return sorted(found, key=lambda one: int(one.lineno))


def _kind(keyword: Any) -> str:
    return next((tag for tag in KINDS if tag in keyword.tags), "")


def _keyword(keyword: Any, links: Links, type_links: Links) -> Iterator[str]:
    yield f"### {keyword.name}"
    arguments = [argument for argument in keyword.args if argument.name]
    yield "```robotframework\n" + "    ".join([keyword.name, *map(_given, keyword.args)]) + "\n```"
    if kind := _kind(keyword):
        yield f"*{kind}*"
    yield from _blocks(keyword.doc, links, {one.name: _type(one.type, type_links) for one in arguments})


def _type_chapter(one: Any, links: Links) -> Iterator[str]:
    yield f"### {one.name}"
    yield from _blocks(one.doc, links)
    if one.members:
        yield "One of " + ", ".join(map(_member, one.members)) + "."
    many = len(one.usages) > _LISTED
    yield "Used by " + ("many" if many else ", ".join(f"[{name}]({links[name]})" for name in one.usages)) + "."


def _member(one: Any) -> str:
    """A value to choose, with what it stands for where Libdoc's page shows that, too."""
    told = one.value if one.value != one.name and not one.value.isdigit() else ""
    return f"`{one.name}`" + (f" ({told})" if told else "")


def _given(argument: Any) -> str:
    """As in a signature of Python: those after a lone ``*`` are given by name; with a default, if there is one."""
    if argument.kind == argument.NAMED_ONLY_MARKER:
        return "*"
    if argument.kind == argument.VAR_POSITIONAL:
        return f"*{argument.name}"
    if argument.default_repr is None:
        return str(argument.name)
    return f"{argument.name}={argument.default_repr or '${EMPTY}'}"


def _type(info: Any, links: Links) -> str:
    """A type as a cell of a table: values to choose from, else its name, with a link where the page explains it."""
    if info is None:
        return ""
    parts = [part for part in re.split(r" \| (?![^\[]*\])", str(info)) if part != "None"]
    return ", or ".join(_type_part(part, links) for part in parts)


def _type_part(part: str, links: Links) -> str:
    if values := _LITERAL.fullmatch(part):
        named = " or ".join(f"`{value.strip(chr(39))}`" for value in re.split(r", ", values[2]))
        return f"list of {named}" if values[1] else named
    return f"[{part}]({links[part]})" if part in links else f"`{part}`"


def _blocks(doc: str, links: Links, types: Mapping[str, str] | None = None) -> Iterator[str]:
    for kind, lines in groupby(doc.splitlines(), key=_kind_of_line):
        if kind == "table":
            yield _table([_markdown(line, links) for line in lines], types or {})
        elif kind == "code":
            yield "\n".join(["```robotframework", *(line[2:] for line in lines), "```"])
        else:
            yield from (_paragraph(part.strip("\n"), links) for part in _paragraphs(lines))


def _kind_of_line(line: str) -> str:
    """As Robot tells the lines of a table and of preformatted text from others."""
    if _TABLE_ROW.fullmatch(line):
        return "table"
    return "code" if line == "|" or line.startswith("| ") else "text"


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    yield from (part for part in re.split(r"\n\s*\n", "\n".join(lines)) if part.strip())


def _paragraph(text: str, links: Links) -> str:
    if section := _SECTION.fullmatch(text):
        return f"## {section[1]}"
    return _markdown(text, links)


def _table(lines: list[str], types: Mapping[str, str]) -> str:
    rows: list[list[str]] = []
    for line in lines:
        cells = [cell.strip() for cell in line.rstrip()[1:-1].split(" | ")]
        if cells[0] or not rows:
            rows.append(cells)
        else:  # what goes on in the row before
            rows[-1] = [" ".join(both).strip() for both in zip(rows[-1], cells, strict=True)]
    if _HEADING.fullmatch(rows[0][0]):
        head = [_HEADING.sub(r"\1", cell) for cell in rows.pop(0)]
    elif types and any(name.strip("`") in types for name, *_ in rows):
        head = ["Argument", "Type", "Meaning"]
        rows = [[name, types.get(name.strip("`"), ""), *rest] for name, *rest in rows]
    else:
        head = rows.pop(0)
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _markdown(text: str, links: Links) -> str:
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
    for library in LIBRARIES:
        path, page = folder / f"{library}.html", html(library)
        if not path.exists() or html_data(path.read_text(encoding="utf-8")) != html_data(page):
            path.write_text(page, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
