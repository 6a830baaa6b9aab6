# SPDX-License-Identifier: Apache-2.0
"""The variables that a run is given: read and checked before anything starts; Robot itself goes on without them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from inspect import ismodule
from pathlib import Path
from typing import Any

from robot.conf import RobotSettings
from robot.errors import DataError
from robot.utils import find_file, normalize, timestr_to_secs
from robot.variables import Variables

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "libraries")]

from livenad.errors import LAB_ERROR_PREFIX, BadInput  # noqa: E402
from livenad.settings import VARIABLES, Settings, nearest, unchosen_networks  # noqa: E402

from scripts.yaml_values import misread  # noqa: E402

SUITES = ROOT / "suites"
PROFILES = ROOT / "variables" / "profiles"
OF_EMBEDDED_CLUSTERS = "embedded"
OF_OTHER_TOOLS = ("rp",)
"""How the variables of listeners begin, in Robot's plain form: those of ReportPortal."""

_DEFINED = re.compile(r"^[$@&]\{(\w[\w ]*)(?:: [^}]+)?\}", re.MULTILINE)
_USED = re.compile(r"[$@&]\{(\w[\w ]*)\}")
_BY_PATH = (".py", "/", ".yaml", ".yml", ".json")


class WrongUsage(Exception):
    """The message is one line: what was given, what was expected, and the remedy."""


def profile_file(name: str) -> Path:
    """The file of a profile. Raises WrongUsage for a name that is none."""
    names = sorted(path.stem for path in PROFILES.glob("*.yaml"))
    if name not in names:
        near = nearest(name, names)
        meant = f"did you mean {near}? " if near else ""
        raise WrongUsage(f'--profile is "{name}"; {meant}expected one of {", ".join(names)}')
    return PROFILES / f"{name}.yaml"


def check_given(options: Mapping[str, Any], sources: Sequence[str], *, networks: bool = False) -> Settings:
    """The given values. Raises WrongUsage for the first thing that is wrong with variables and files of values.

    ``options`` are Robot's, with the profiles among its variable files. ``networks``: the cluster is the user's own,
    so where its networks are has to be among the values.
    """
    given = _read(options, _known(sources))
    try:
        settings = Settings.from_variables(
            {name: value for name, value in given.items() if value is not None}, timestr_to_secs
        )
    except BadInput as bad:
        raise WrongUsage(str(bad).removeprefix(LAB_ERROR_PREFIX)) from None
    if networks and (missing := unchosen_networks(given)):
        names = [path.stem for path in sorted(PROFILES.glob("*.yaml"))]
        own = ", ".join(name for name in names if not name.startswith(OF_EMBEDDED_CLUSTERS))
        raise WrongUsage(
            f"where the networks of your cluster are is not said: {', '.join(missing)} not given; choose a profile "
            f"with --profile NAME ({own}), or give these values with --variable or --variablefile; "
            "docs/running-on-your-cluster.md tells which profile fits"
        )
    return settings


def _read(options: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, object]:
    """The values of the project's variables: of several files the first one counts, and --variable before them."""
    found: dict[str, object] = {}
    settings = RobotSettings({name: options[name] for name in ("variable", "variablefile") if name in options})
    for given in settings.variables:
        name, _, value = given.partition(":")
        plain = _known_name(name, known, f'--variable "{given}"')
        typed = value.startswith(" ") and ":" in value
        found[plain] = None if typed else value
    from_files: dict[str, object] = {}
    for path, arguments in settings.variable_files:
        for name, value in _values_of(path, arguments):
            from_files.setdefault(_known_name(name, known, path), value)
    return {**from_files, **found}


def _values_of(path: str, arguments: Sequence[str]) -> list[tuple[str, object]]:
    """What Robot reads from a file of values. Raises WrongUsage where that is not what stands there."""
    try:
        if path.lower().endswith(_BY_PATH):
            path = find_file(path, file_type="Variable file")
        values = [(str(name), value) for name, value in Variables().set_from_file(path, arguments)]
    except DataError as error:
        why = " ".join(str(error.message).split()).rstrip(".")
        raise WrongUsage(f'--variablefile: {why}; expected a file of "NAME: value" lines in YAML') from None
    if path.lower().endswith((".yaml", ".yml")):
        for complaint in misread(Path(path)):
            raise WrongUsage(f"{path}: {complaint}")
        return values
    # A module of Python has helpers as well.
    return [(name, value) for name, value in values if not callable(value) and not ismodule(value)]


def _known(sources: Iterable[str]) -> dict[str, str]:
    """Names that mean something, by Robot's plain form: ours, and those of the suites that are run."""
    names = set(VARIABLES)
    for source in {str(SUITES), str(ROOT / "resources"), *sources}:
        own = Path(source).resolve().is_relative_to(SUITES) or Path(source).resolve().is_relative_to(ROOT / "resources")
        pattern = _DEFINED if own else _USED
        for file in _suite_files(Path(source)):
            names.update(pattern.findall(file.read_text(encoding="utf-8", errors="replace")))
    return {normalize(name, ignore="_"): name for name in sorted(names, key=lambda name: name in VARIABLES)}


def _suite_files(source: Path) -> list[Path]:
    if source.is_dir():
        return [file for kind in ("robot", "resource") for file in source.rglob(f"*.{kind}")]
    return [source] if source.is_file() else []


def _known_name(name: str, known: Mapping[str, str], where: str) -> str:
    plain = normalize(name, ignore="_")
    if plain in known:
        return known[plain]
    if plain.startswith(OF_OTHER_TOOLS):
        return name
    near = nearest(name, known.values())
    meant = f"did you mean {near}?" if near else "nothing is called like it;"
    raise WrongUsage(f'{where}: there is no variable "{name}"; {meant} variables/defaults.yaml has all that there are')
