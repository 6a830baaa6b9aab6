# SPDX-License-Identifier: Apache-2.0
"""The mutants of every module, what is known of each, and what is left to do."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.mutants.runner import KILLED, ROOT, SURVIVED, TIMEOUT, UNREACHED, Mutant

HERE = Path(__file__).parent
STATE = ROOT / ".mutants"
MODULES, EQUIVALENT = HERE / "modules.yaml", HERE / "equivalent.yaml"
DEAD = (KILLED, TIMEOUT)
ALIVE = (SURVIVED, UNREACHED)
MOST_EXPLAINED = 0.05


@dataclass(frozen=True)
class Equivalent:
    """A mutant that changes nothing that anybody could see: a line of a module, what it becomes, and why."""

    module: str
    was: str
    now: str
    why: str


@dataclass
class Module:
    """One module: its tests, its mutants, and their outcomes by key, with the seconds that each took."""

    group: str
    path: str
    tests: list[str]
    explained: list[Equivalent] = field(default_factory=list)
    mutants: list[Mutant] = field(default_factory=list)
    outcomes: dict[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def source(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

    @property
    def file(self) -> Path:
        return STATE / f"{self.path.replace('/', '.')}.jsonl"

    @property
    def digest(self) -> str:
        """Of the source and of all its tests: what was found with others does not count."""
        texts = [self.source, *(path.read_text(encoding="utf-8") for path in _files(self.tests))]
        return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]

    def words_of(self, mutant: Mutant) -> tuple[str, str]:
        """The lines that a mutant changes, before and after, without indentation."""
        source, changed = self.source, mutant.applied(self.source)
        begin = source.rfind("\n", 0, mutant.start) + 1
        end = source.find("\n", mutant.end)
        after = changed[begin : len(changed) - (len(source) - end)]
        return " ".join(source[begin:end].split()), " ".join(after.split())

    def explanation(self, mutant: Mutant) -> Equivalent | None:
        """The entry that explains a mutant."""
        words = self.words_of(mutant)
        return next((one for one in self.explained if (one.was, one.now) == words), None)

    def alive(self) -> list[tuple[Mutant, str]]:
        """The mutants that nothing noticed and nothing explains, with their outcome."""
        found = ((mutant, self.outcomes.get(mutant.key, ("", 0.0))[0]) for mutant in self.mutants)
        return [(mutant, outcome) for mutant, outcome in found if outcome in ALIVE and not self.explanation(mutant)]

    def left(self) -> list[Mutant]:
        """The mutants of which nothing is known."""
        return [mutant for mutant in self.mutants if mutant.key not in self.outcomes]

    def load(self) -> None:
        """Read what was found for this source and these tests."""
        if not self.file.exists():
            return
        head, *lines = self.file.read_text(encoding="utf-8").splitlines()
        if json.loads(head) == self.digest:
            for data in map(json.loads, lines):
                self.outcomes[data["key"]] = (data["outcome"], data["seconds"])

    def note(self, line: str) -> None:
        """Keep one outcome at once, so that a program that is broken off goes on where it was."""
        data = json.loads(line)
        if not self.outcomes:
            STATE.mkdir(exist_ok=True)
            self.file.write_text(json.dumps(self.digest) + "\n", encoding="utf-8")
        self.outcomes[data["key"]] = (data["outcome"], data["seconds"])
        with self.file.open("a", encoding="utf-8") as file:
            file.write(line.rstrip() + "\n")


def modules(names: Sequence[str] = ()) -> list[Module]:
    """All modules, or those of these groups and parts of paths; with their mutants and what is known of them."""
    explained = [Equivalent(**entry) for entry in yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8")) or []]
    found = [
        Module(group, path, tests, [one for one in explained if one.module == path])
        for group, of_group in yaml.safe_load(MODULES.read_text(encoding="utf-8")).items()
        for path, tests in of_group.items()
        if not names or any(name in (group, path) or name in path for name in names)
    ]
    for module in found:
        module.mutants = listed(module)
        module.load()
    return found


def paths() -> list[str]:
    """The paths of all modules."""
    return [path for of_group in yaml.safe_load(MODULES.read_text(encoding="utf-8")).values() for path in of_group]


def listed(module: Module) -> list[Mutant]:
    """The mutants of a module, in the order of the source; kept by its text."""
    kept = STATE / "listed" / f"{hashlib.sha256(module.source.encode()).hexdigest()[:24]}.jsonl"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        command = [_python(), str(HERE / "list_mutants.py"), str(ROOT / module.path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        kept.write_text(done.stdout, encoding="utf-8")
    found: dict[tuple[int, int, str], Mutant] = {}
    for line in kept.read_text(encoding="utf-8").splitlines():
        mutant = Mutant(module.path, **json.loads(line))
        found.setdefault((mutant.start, mutant.end, mutant.text), mutant)
    return sorted(found.values(), key=lambda mutant: (mutant.start, mutant.text))


def outcomes_of(module: Module, mutants: Sequence[Mutant], *, seconds: float) -> Iterator[str]:
    """Run the tests against mutants in a process of its own, for so long at most; a line of JSON for each."""
    job = STATE / f"job-{module.path.replace('/', '.')}.json"
    data = {"tests": module.tests, "mutants": [vars(one) for one in mutants]}
    job.write_text(json.dumps(data), encoding="utf-8")
    command = [sys.executable, "-m", "tests.mutants.runner", str(job)]
    log = STATE / f"log-{module.path.replace('/', '.')}.txt"
    with log.open("w") as errors:
        process = subprocess.Popen(
            ["timeout", str(max(1, round(seconds))), *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        assert process.stdout is not None
        yield from process.stdout
        process.wait()
    for line in log.read_text(encoding="utf-8").splitlines():
        if line.startswith("left out"):
            print(f"    {line}", flush=True)


def _files(tests: Sequence[str]) -> Iterator[Path]:
    for name in tests:
        path = ROOT / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _python() -> str:
    """A Python that has cosmic-ray, in an environment that is made once."""
    folder, requirements = ROOT / ".venv-mutants", HERE / "requirements.txt"
    python, stamp = folder / "bin" / "python", folder / ".stamp"
    wanted = requirements.read_text(encoding="utf-8")
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(requirements)], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return str(python)
