# SPDX-License-Identifier: Apache-2.0
"""Every command in the documentation works, and every fact that stands there twice is the same.

The line before a block of commands says how they are tried: ``run`` (all of them; ``run: exit N`` when the last one
must end so), ``cluster`` (all of them on one cluster in place of the reader's own), ``dry`` (as dry runs, the run would
take too long; of one scenario where a command selects nothing), ``serve`` (until it prints something, then Ctrl-C), or
``skip: reason``. ``nightly`` in front: not each time, since another block or test tries nearly the same. A block that
is a file has its name before it, ``file: NAME``; commands of that page that name it get it as it stands there. Results
that go to ``results/nightly`` go to a folder of the test.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from scripts.keyword_pages import LIBRARIES, RESOURCES, anchor, html, html_data
from scripts.keyword_pages import pages as keyword_pages
from testplan.plan import load_vocabulary
from tests.forked import run_forked
from tests.unit.support.kubeconfig import write_kubeconfig

from .conftest import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "adr").glob("*.md")),
]
BLOCK = re.compile(
    r"(?:^<!-- (?P<how>[^\n]*?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
# All suites are tried by a dry run of their own, and take longer than a command line is worth.
SCENARIO = "nad-01"
LINK = re.compile(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and how it is to be tried."""

    page: str
    line: int
    language: str
    how: str
    text: str

    @property
    def commands(self) -> list[str]:
        return [line for line in self.text.splitlines() if line and not line.startswith("#")]


def blocks(language: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text[: match.start()].count("\n") + 1
            found.append(Block(page.name, line, match["language"], match["how"] or "", match["text"]))
    return [block for block in found if block.language == language]


def with_files(page: str, folder: Path) -> Callable[[str], str]:
    """Writes the files that a page shows, and returns what makes its commands use them."""
    files = {"results/nightly": folder / "nightly"}
    for language in ("robotframework", "yaml"):
        for block in blocks(language):
            kind, _, name = block.how.partition(": ")
            if block.page == page and kind == "file":
                files[name] = folder / name
                files[name].write_text(block.text, encoding="utf-8")

    def replaced(command: str) -> str:
        for name, path in files.items():
            command = re.sub(rf"(?<![\w/.-]){re.escape(name)}\b", str(path), command)
        return command

    return replaced


def named(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The reader's shell: tools of the environment on PATH; clusters and results of this test apart from others."""
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    own = {"XDG_RUNTIME_DIR": str(runtime), "ROBOT_OPTIONS": f"--outputdir {tmp_path / 'results'}"}
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **own}


def bash(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=200
    )


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, marks=[pytest.mark.nightly] if block.how.startswith("nightly ") else [])
        for block in blocks("bash")
    ],
    ids=named,
)
def test_commands_do_what_the_page_says(block: Block, environment: dict[str, str], tmp_path: Path) -> None:
    assert block.commands, "a block without a command"
    how, _, argument = block.how.removeprefix("nightly ").partition(":")
    commands = [*map(with_files(block.page, tmp_path), block.commands)]
    if how == "run":
        for command in commands[:-1]:
            assert bash(command, environment).returncode == 0, command
        last = bash(commands[-1], environment)
        expected = int(argument.split()[-1]) if argument else 0
        assert last.returncode == expected, last.stdout + last.stderr
    elif how == "cluster":
        own = " && ".join(commands).replace("~/.kube/config", '"$KUBECONFIG"')
        tried = bash(f".venv/bin/python -m emulator exec -- sh -c {shlex.quote(own)}", environment)
        assert tried.returncode == 0, tried.stdout + tried.stderr
    elif how == "dry":
        # The reader has one; nothing connects to it in a dry run.
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", "https://lab.invalid")
        for command in commands:
            own = command.replace("~/.kube/config", str(kubeconfig)).replace("--context lab", "--context there")
            one = "" if "--include" in own else f"--include {SCENARIO}"
            tried = bash(f"{own} {one} --dryrun --outputdir {tmp_path}", environment)
            assert tried.returncode == 0, f"{command}\n{tried.stdout}{tried.stderr}"
    elif how == "serve":
        serve(block.commands[-1], environment, tmp_path)
    else:
        assert how == "skip", (
            f"{named(block)}: say how it is to be tried: <!-- run -->, cluster, dry, serve or skip: reason"
        )
        assert argument.strip()


def serve(command: str, environment: dict[str, str], folder: Path) -> None:
    command = command.replace(".venv/", f"{ROOT}/.venv/")
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command.split(), stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@pytest.mark.parametrize("block", blocks("robotframework"), ids=named)
def test_suites_in_the_pages_are_sound(block: Block, tmp_path: Path) -> None:
    folder = tmp_path / "suites" / "p0"
    folder.mkdir(parents=True)
    for name in ("resources", "variables"):
        (tmp_path / name).symlink_to(ROOT / name)
    (folder / "variables").symlink_to(ROOT / "variables")
    suite = folder / "suite.robot"
    suite.write_text(block.text, encoding="utf-8")
    nowhere = ("--output", "NONE", "--log", "NONE", "--report", "NONE")
    dry = run_forked("robot", ["--dryrun", "--pythonpath", str(ROOT), *nowhere, str(suite)], folder=tmp_path)
    assert dry.returncode == 0, dry.stdout


FURTHER_PAGES = [*(ROOT / "docs" / "keywords").glob("*.md"), *(ROOT / "docs").glob("[es]*/README.md")]


@pytest.mark.parametrize("page", [*PAGES, *FURTHER_PAGES], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_what_is_there(page: Path) -> None:
    for path, fragment in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name} links to {path}"
        assert not fragment or fragment in anchors(target), f"{page.name} links to {path}#{fragment}"


def anchors(page: Path) -> set[str]:
    """Of the page's headings, as forges make them."""
    return {anchor(heading) for heading in HEADING.findall(page.read_text(encoding="utf-8"))}


def test_the_keyword_reference_says_what_the_libraries_say() -> None:
    said = keyword_pages()
    assert said.keys() == {f"{name}.md" for name in (*LIBRARIES, RESOURCES)}
    written = {page: (ROOT / "docs" / "keywords" / page).read_text(encoding="utf-8") for page in said}
    late = [page for page in said if written[page] != said[page]]
    assert late == [], "these pages in docs/keywords are out of date: run scripts/docs.sh"


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_html_reference_says_what_the_library_says(library: str) -> None:
    """Except line numbers, the time at which it was made, and the part of the page that comes from Libdoc."""
    written = (ROOT / "docs" / "keywords" / f"{library}.html").read_text(encoding="utf-8")
    assert html_data(written) == html_data(html(library)), f"{library}.html is out of date: run scripts/docs.sh"


def test_the_html_reference_is_small() -> None:
    assert sum(page.stat().st_size for page in (ROOT / "docs" / "keywords").glob("*.html")) < 1_000_000


def test_the_table_of_tags_is_the_vocabulary() -> None:
    text = (ROOT / "docs" / "tags.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `([^`]+)` \| (.*) \|$", text, re.MULTILINE))
    rows = yaml.safe_load((ROOT / "testplan" / "tags.yaml").read_text(encoding="utf-8"))
    assert table == {row["tag"]: row["meaning"] for row in rows}
    assert sorted(table) == sorted(load_vocabulary().names())


def test_no_prompt_is_copied_with_a_command() -> None:
    """What a reader copies from a page can be pasted as it stands."""
    prompts = [named(block) for block in blocks("bash") if any(line.startswith("$ ") for line in block.commands)]
    assert prompts == []
    assert blocks("console") == [], "write ```bash, without a prompt"
