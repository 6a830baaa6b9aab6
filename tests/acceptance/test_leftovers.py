# SPDX-License-Identifier: Apache-2.0
"""``run.sh --delete-leftovers`` by itself: what it leaves where it was called, and what it refuses."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.embedded import embedded_cluster
from tests.forked import run_forked

from .cluster import plain_kubeconfig
from .conftest import ROOT


def delete_leftovers(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir()
    return run_forked(str(ROOT / "scripts" / "delete_leftovers.py"), arguments, folder=folder, timeout=90)


@pytest.mark.timeout(180)
def test_nothing_is_left_in_the_working_directory(tmp_path: Path) -> None:
    """Neither after a success nor after a failure, of which a run keeps evidence."""
    with embedded_cluster(tmp_path) as kubeconfig:
        done = delete_leftovers(tmp_path / "done", "--kubeconfig", str(kubeconfig))
        without_rights = plain_kubeconfig(kubeconfig, tmp_path / "plain")
        failed = delete_leftovers(tmp_path / "failed", "--kubeconfig", str(without_rights))
    assert (done.returncode, failed.returncode) == (0, 2), done.stdout + done.stderr + failed.stdout + failed.stderr
    assert [path.name for folder in ("done", "failed") for path in (tmp_path / folder).iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--", "--variable", "NAMESPAC:team-a"), "did you mean NAMESPACE?"),
        (("--", "--variablefile", "mine.yaml"), "'mine.yaml' does not exist"),
        (("--profile", "mine"), "expected one of embedded"),
        ((), 'kubeconfig "nowhere" (variable KUBECONFIG) does not exist'),
    ],
)
def test_wrong_values_are_refused(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    refused = delete_leftovers(tmp_path / "here", "--kubeconfig", "nowhere", *arguments)
    assert refused.returncode == 64
    (line,) = refused.stderr.splitlines()
    assert words in line
