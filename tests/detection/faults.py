# SPDX-License-Identifier: Apache-2.0
"""Faults of the lab that lie where the tests run, and not in the cluster: each runs the suites in spite of one."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from testplan.__main__ import judge_run
from tests.acceptance.cluster import Api, plain_kubeconfig
from tests.embedded import ROOT, RobotRun, embedded_cluster, robot_command, run_robot

Fault = Callable[[Path, Sequence[str], Sequence[str], Path], RobotRun]

# Robot writes its result as it goes; this much is there before the first VM runs.
SMALL = 16 * 1024
PATIENCE = 240.0


def user_with_few_rights(folder: Path, options: Sequence[str], cluster: Sequence[str], suites: Path) -> RobotRun:
    """The kubeconfig is that of a user who may do nothing."""
    with embedded_cluster(_new(folder), *cluster) as kubeconfig:
        plain = plain_kubeconfig(kubeconfig, folder / "plain")
        return run_robot(folder, *options, "--variable", f"KUBECONFIG:{plain}", suites=suites, timeout=PATIENCE)


def leftovers_of_a_killed_run(folder: Path, options: Sequence[str], cluster: Sequence[str], suites: Path) -> RobotRun:
    """A run before this one was killed with its VMs running and its VLANs taken."""
    with embedded_cluster(_new(folder), *cluster) as kubeconfig:
        own = (*options, "--variable", f"KUBECONFIG:{kubeconfig}")
        command = robot_command(folder / "killed", *own, suites=suites)
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True) as killed:
            _wait_for_a_vm(Api(kubeconfig))
            os.killpg(killed.pid, signal.SIGKILL)
        return run_robot(folder, *own, suites=suites, timeout=PATIENCE)


def full_disk(folder: Path, options: Sequence[str], cluster: Sequence[str], suites: Path) -> RobotRun:
    """There is no more room in the folder of the results."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL, SMALL))

    with embedded_cluster(_new(folder), *cluster) as kubeconfig:
        runner = [sys.executable, str(ROOT / "scripts" / "run_suites.py"), "--state", str(folder)]
        finished = subprocess.run(
            [*runner, "--kubeconfig", str(kubeconfig), "--", "--outputdir", str(folder), *options, str(suites)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE,
            cwd=ROOT,
            preexec_fn=limit,
        )
    judgement, results = judge_run(folder / "output.xml")
    return RobotRun(judgement, results, f"{finished.stdout}\nExit code: {finished.returncode}", folder)


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _wait_for_a_vm(api: Api, patience: float = 60.0) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(Exception):
            if api.items("/apis/kubevirt.io/v1/virtualmachineinstances"):
                return
        time.sleep(0.2)
    raise TimeoutError(f"the run to be killed has started no VM within {patience:.0f} s")


FAULTS: dict[str, Fault] = {
    "full-disk": full_disk,
    "user-with-few-rights": user_with_few_rights,
    "leftovers-of-a-killed-run": leftovers_of_a_killed_run,
}
