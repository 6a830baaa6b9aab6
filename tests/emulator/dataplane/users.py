# SPDX-License-Identifier: Apache-2.0
"""Running a process as this user or, when this user is root, as an ordinary one."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
UNPRIVILEGED = 65534
USERS = ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]


def start(user: str, *arguments: str) -> subprocess.Popen[str]:
    """Starts Python as that user with the project on its path; standard error goes to standard output."""
    python, environment, project = sys.executable, dict(os.environ), PROJECT
    options: dict[str, object] = {}
    if user == "ordinary" and os.geteuid() == 0:
        python, path, project = _for_nobody()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(project),
            "PYTHONPATH": path,
        }
        options = {"user": UNPRIVILEGED, "group": UNPRIVILEGED, "extra_groups": []}
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        [python, *arguments],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


@functools.cache
def _for_nobody() -> tuple[str, str, Path]:
    """An interpreter, a module path and a copy of the project that an ordinary user may read."""
    # mkdtemp's directories are private on purpose.
    project = Path(tempfile.mkdtemp(prefix="dataplane-tests-"))
    project.chmod(0o755)
    _copies.append(project)
    for part in ("emulator", "tests/emulator/dataplane"):
        shutil.copytree(PROJECT / part, project / part)
    for package in ("tests", "tests/emulator"):
        (project / package / "__init__.py").touch()
    # Each process of that user would compile all modules again: it cannot write here.
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(project)], check=True)
    subprocess.run(["chmod", "-R", "a+rX", str(project)], check=True)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    path = os.pathsep.join([str(project), *libraries])
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    tried = []
    for python in filter(None, (sys.executable, shutil.which(version, path="/usr/local/bin:/usr/bin"))):
        probe = (
            subprocess.run(
                [python, "-c", "import asyncssh, yaml"],
                env={"PYTHONPATH": path},
                user=UNPRIVILEGED,
                group=UNPRIVILEGED,
                extra_groups=[],
                capture_output=True,
                text=True,
                check=False,
                cwd="/",
            )
            if _executable_by_nobody(python)
            else None
        )
        if probe and probe.returncode == 0:
            return python, path, project
        tried.append(python)
    pytest.skip(f"no interpreter with the installed packages is readable by an ordinary user; tried {', '.join(tried)}")


_copies: list[Path] = []


def remove_copies() -> None:
    for copy in _copies:
        shutil.rmtree(copy, ignore_errors=True)
    _copies.clear()
    _for_nobody.cache_clear()


def _executable_by_nobody(python: str) -> bool:
    """Whether every directory on the way to the real file may be passed by everybody."""
    real = Path(python).resolve()
    return all(parent.stat().st_mode & 0o001 for parent in [real, *real.parents, *Path(python).absolute().parents])
