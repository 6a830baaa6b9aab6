# SPDX-License-Identifier: Apache-2.0
"""The arguments of a run, read and checked before anything starts: options, paths, values, kubeconfig, selection.

    python command_line.py [--profile NAME] -- ARGUMENTS OF ROBOT

ends with 64 and one line when something is wrong with them for a run on an embedded cluster. Robot itself finds some of
these faults only after a cluster was started, and some, such as an unknown tag, never.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "libraries")]

from livenad.api.kubeconfig import check_context, files_of  # noqa: E402
from livenad.errors import LAB_ERROR_PREFIX, BadInput  # noqa: E402
from livenad.settings import nearest  # noqa: E402
from robot.api import TestSuite  # noqa: E402
from robot.conf import RobotSettings  # noqa: E402
from robot.errors import DataError, Information  # noqa: E402
from robot.run import USAGE, RobotFramework  # noqa: E402
from robot.running.builder import TestSuiteBuilder  # noqa: E402
from robot.utils import normalize  # noqa: E402

from scripts.given_values import SUITES, WrongUsage, check_given, profile_file  # noqa: E402
from testplan.plan import load_vocabulary  # noqa: E402
from testplan.suites import read_tests  # noqa: E402

USAGE_ERROR = 64
_OPTION = re.compile(r"^\s+(?:-\w )?(--\w+)", re.MULTILINE)
_OWN_OPTION = re.compile(r"^  (--[a-z-]+)", re.MULTILINE)
_WITH_TAGS = ("include", "exclude", "skip", "skiponfailure")
_SELECTING = ("include", "exclude", "test", "task", "suite", "rerunfailed", "rerunfailedsuites")
_OPERATORS = re.compile(r"AND|OR|NOT|&")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Selected:
    """A test that the run is to hold."""

    name: str
    tags: frozenset[str]


@dataclass(frozen=True)
class CommandLine:
    """Robot's options with the profiles among their variable files, the paths of suites, and what they select."""

    options: dict[str, Any]
    sources: list[str]
    selected: list[Selected]

    def without_selection(self, sources: Sequence[str]) -> CommandLine:
        """The same values for other suites, all of whose tests are run."""
        options = {name: value for name, value in self.options.items() if name not in _SELECTING}
        return CommandLine(options, list(sources), selection(options, sources))


def read_command_line(
    arguments: Sequence[str],
    profiles: Sequence[str],
    *,
    embedded: bool = False,
    own_cluster: bool = False,
    kubeconfig: str = "",
    context: str = "",
) -> CommandLine:
    """Reads arguments of robot. Raises WrongUsage for what is wrong with them, in one line, with what was meant.

    ``embedded``: the cluster is started for this run, so that no value may name another. ``own_cluster``: where its
    networks are has to be among the values. ``kubeconfig``, ``context``: the options of these names.
    """
    try:
        options, sources = RobotFramework().parse_arguments([*arguments, str(SUITES)])
    except DataError as error:
        raise WrongUsage(_with_meant(str(error.message))) from None
    if len(sources) > 1:
        sources = sources[:-1]
    for source in sources:
        if source.startswith("-"):
            raise WrongUsage(f"option {source} stands behind the path {sources[0]}; options come before all paths")
        if not Path(source).exists():
            raise WrongUsage(f'there is no file or folder "{source}"; expected a path of suites such as suites/p0')
    files = [str(profile_file(name)) for name in dict.fromkeys(profiles)]
    # Of several files that have a variable the first one counts.
    options["variablefile"] = [*options.get("variablefile", []), *files]
    settings = check_given(options, sources, networks=own_cluster)
    if embedded and (settings.kubeconfig or settings.context):
        raise WrongUsage(
            "this run starts an embedded cluster, and variable KUBECONFIG or CONTEXT names another one; to test that, "
            "give it as ./run.sh --kubeconfig FILE --context NAME"
        )
    if kubeconfig or settings.kubeconfig:
        check_kubeconfig(kubeconfig or settings.kubeconfig, context or settings.context)
    return CommandLine(options, list(sources), selection(options, sources))


def selection(options: Mapping[str, Any], sources: Sequence[str]) -> list[Selected]:
    """The tests that these options select. Raises WrongUsage for unknown tags, and when there is none."""
    try:
        settings = RobotSettings(dict(options))
        builder = TestSuiteBuilder(
            included_extensions=settings.extension,
            included_files=settings.parse_include,
            custom_parsers=settings.parsers,
            lang=settings.languages,
            allow_empty_suite=settings.run_empty_suite,
        )
        suite = builder.build(*sources)
        _check_tags(options, {tag for test in _tests(suite) for tag in test.tags})
        suite.configure(**settings.suite_config)
    except DataError as error:
        raise WrongUsage(f"nothing can be run: {' '.join(str(error.message).split())}") from None
    found = [Selected(test.name, frozenset(test.tags)) for test in _tests(suite)]
    if not found and not settings.run_empty_suite:
        raise WrongUsage('nothing is selected; see "Choosing what runs" in README.md')
    return found


def _tests(suite: TestSuite) -> Iterator[Any]:
    yield from suite.tests
    for child in suite.suites:
        yield from _tests(child)


def _check_tags(options: Mapping[str, Any], tags: Iterable[str]) -> None:
    """Raises WrongUsage for the first tag of the options that no test and no vocabulary knows."""
    vocabulary = load_vocabulary()
    bugs = [pattern for name, pattern in vocabulary.patterns if name.startswith("bug-")]
    known = {normalize(tag, ignore="_"): tag for tag in (*vocabulary.fixed, *tags)}
    for option in _WITH_TAGS:
        for given in options.get(option, []):
            for part in filter(None, map(str.strip, _OPERATORS.split(given))):
                plain = normalize(part, ignore="_")
                if plain in known or _WILD.search(part) or any(re.fullmatch(bug, plain) for bug in bugs):
                    continue
                known |= {normalize(tag, ignore="_"): tag for test in read_tests() for tag in test.tags}
                if plain not in known:
                    near = nearest(part, known.values())
                    meant = f"; did you mean {near}?" if near else ";"
                    raise WrongUsage(
                        f'--{option} {given}: no test has the tag "{part}"{meant} docs/tags.md has them all'
                    )


def check_kubeconfig(kubeconfig: str, context: str) -> None:
    """Raises WrongUsage for a kubeconfig that is not there or is none, and for a context that it does not have."""
    try:
        check_context(files_of(kubeconfig), context)
    except BadInput as bad:
        raise WrongUsage(str(bad).removeprefix(LAB_ERROR_PREFIX)) from None


def _with_meant(message: str) -> str:
    """Robot's complaint about an option, with the one that is spelled most like it."""
    found = re.match(r"option (--\S+) not recognized", message)
    options = _OPTION.findall(USAGE) + _OWN_OPTION.findall((ROOT / "run.sh").read_text(encoding="utf-8"))
    near = nearest(found[1], options) if found else ""
    meant = f"; did you mean {near}?" if near else "; see ./run.sh --help and robot --help" if found else ""
    return f"{message}{meant}"


def main(argv: Sequence[str]) -> int:
    """0, or 64 with one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="append", default=[], help="file of values in variables/profiles/")
    parser.add_argument("robot", nargs="*", help="arguments of robot, after --")
    arguments = parser.parse_args(argv)
    try:
        read_command_line(arguments.robot, arguments.profile, embedded=True)
    except Information:
        return 0
    except WrongUsage as error:
        print(f"error: {error}", file=sys.stderr)
        return USAGE_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
