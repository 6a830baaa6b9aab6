# SPDX-License-Identifier: Apache-2.0
"""Contracts on the files of the project that no linter knows: names, lengths, circles, and what counts as a verdict."""

from __future__ import annotations

import subprocess
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import grimp

ROOT = Path(__file__).parents[2]
LIBRARIES = ROOT / "libraries"
KEYWORDS = ("KubeVirtLibrary", "GuestLibrary")
LONGEST = 400


def files_of(*folders: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [Path(name) for name in listed if (ROOT / name).exists()]


@cache
def contracts() -> dict[str, dict[str, Any]]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return {one["id"]: one for one in tomllib.loads(text)["tool"]["importlinter"]["contracts"]}


def test_no_file_name_stands_twice_but_that_of_a_topic() -> None:
    """A topic has the same name as keyword file of either library and in the core."""
    by_name = defaultdict(list)
    for path in files_of("libraries"):
        if path.suffix == ".py" and path.name != "__init__.py":
            by_name[path.name].append(path)
    for name, paths in by_name.items():
        homes = {path.parent.as_posix() for path in paths}
        if len(paths) > 1:
            assert homes <= {"libraries/livenad", *(f"libraries/{library}" for library in KEYWORDS)}, f"{name}: {homes}"


def test_each_topic_of_the_core_is_named_as_its_keyword_file() -> None:
    keyword_files = {path.stem for library in KEYWORDS for path in (LIBRARIES / library).glob("*.py")}
    rooms = {path.parent.name for path in (LIBRARIES / "livenad").glob("*/__init__.py")}
    without_keywords = {"api", "guest", "ownership", "rejudge", "report"}
    assert rooms - keyword_files == without_keywords


def test_no_file_is_long() -> None:
    for path in files_of("libraries", "emulator", "testplan", "scripts"):
        if path.suffix in (".py", ".resource", ".sh"):
            lines = (ROOT / path).read_text(encoding="utf-8").count("\n")
            assert lines <= LONGEST, f"{path} has {lines} lines"


def test_each_module_that_judges_is_held_to_the_contract_on_verdicts() -> None:
    judges = {
        ".".join(path.relative_to(LIBRARIES).with_suffix("").parts)
        for path in (LIBRARIES / "livenad").rglob("judge_*.py")
    }
    assert judges
    assert judges <= set(contracts()["verdicts"]["source_modules"])


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("livenad", *KEYWORDS, "emulator", "testplan", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 500
    assert [circle for circle in circles_of(imports) if len(circle) > 1] == []


def circles_of(edges: dict[str, set[str]]) -> Iterator[list[str]]:
    """Strongly connected components, by Kosaraju's algorithm."""
    order: list[str] = []
    seen: set[str] = set()
    for start in edges:
        walk(start, edges, seen, order)
    backwards: dict[str, set[str]] = {module: set() for module in edges}
    for module, imported in edges.items():
        for one in imported:
            backwards[one].add(module)
    seen.clear()
    for start in reversed(order):
        component: list[str] = []
        walk(start, backwards, seen, component)
        if component:
            yield component


def walk(start: str, edges: dict[str, set[str]], seen: set[str], finished: list[str]) -> None:
    """Depth first, without recursion; appends each module when all that it leads to is finished."""
    if start in seen:
        return
    seen.add(start)
    stack = [(start, iter(edges[start]))]
    while stack:
        module, rest = stack[-1]
        following = next((one for one in rest if one not in seen), None)
        if following is None:
            finished.append(module)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(edges[following])))


def test_circles_are_found() -> None:
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert sorted(sorted(one) for one in circles_of(edges)) == [["a", "b", "c"], ["d"]]
