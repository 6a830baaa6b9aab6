# SPDX-License-Identifier: Apache-2.0
"""A run that is stopped or killed in the middle leaves nothing behind, at the latest after the next start."""

from __future__ import annotations

import ctypes
import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.embedded import ROOT, embedded_cluster, embedded_command, robot_command, run_robot

from .cluster import Api

PR_SET_CHILD_SUBREAPER = 36
RUN_LABEL = "kubevirt-nad-tests/run"
MOMENTS = (
    "Wait Until Change Has Settled",
    pytest.param("Start VMs", marks=pytest.mark.nightly),
    pytest.param("Wait Until VMs Are Ready", marks=pytest.mark.nightly),
)
PATIENCE = 60.0

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Adopts every process that loses its parent, so that none can hide."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    found = Host(runtime, descendants(), mounts(), interfaces())
    try:
        yield found
    finally:
        for pid in descendants(found.processes):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        reap()
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@dataclass
class Host:
    """What there was before, and where this test's clusters keep their files."""

    runtime: Path
    processes: set[int]
    mounts: set[str]
    interfaces: set[str]

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "XDG_RUNTIME_DIR": str(self.runtime)}

    def files(self) -> list[Path]:
        return [path for folder in self.runtime.iterdir() for path in folder.iterdir()]

    def assert_clean(self) -> None:
        """Processes may take a moment to die; then nothing is left."""
        wait_for(lambda: not descendants(self.processes), "processes are gone", self.left)
        assert mounts() - self.mounts == set()
        assert interfaces() - self.interfaces == set()

    def assert_clean_after_next_start(self) -> None:
        subprocess.run([*embedded_command(), "true"], check=True, timeout=60, cwd=ROOT, env=self.env)
        self.assert_clean()
        assert self.files() == []

    def left(self) -> str:
        lines = []
        for pid in descendants(self.processes):
            with suppress(OSError):
                lines.append(f"{pid}: {Path(f'/proc/{pid}/cmdline').read_text()}")
        return "\n".join(lines)


def descendants(besides: Collection[int] = ()) -> set[int]:
    """Every living process below this one, without those ``besides`` and what they start, as a browser does."""
    reap()
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    parents[int(entry.name)] = int(fields[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found - set(besides):
        found |= more
    return found - {os.getpid()}


def reap() -> None:
    """Collects adopted children, but none that a Popen object waits for: those are collected by then."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def mounts() -> set[str]:
    return set(Path("/proc/self/mountinfo").read_text().splitlines())


def interfaces() -> set[str]:
    return {line.split(":")[0].strip() for line in Path("/proc/self/net/dev").read_text().splitlines()[2:]}


def wait_for(condition: Callable[[], object], what: str, seen: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:g} s; {seen()}"
        time.sleep(0.02)


def run_sh(folder: Path, *options: str) -> list[str]:
    outputs = ["--outputdir", str(folder), "--debugfile", str(folder / "debug.txt"), "--console", "quiet"]
    return [str(ROOT / "run.sh"), *options, "--include", "p0", *outputs]


def wait_for_keyword(folder: Path, name: str) -> None:
    """Until robot has begun this keyword."""
    debug, printed = folder / "debug.txt", printed_file(folder)
    wait_for(lambda: debug.exists() and f".{name}" in debug.read_text(), f"{name} begins", lambda: read(printed))


def read(path: Path) -> str:
    return path.read_text() if path.exists() else f"{path} is not there"


def status_of(pid: int) -> int:
    """Exit status of a child, 128 + N for signal N, as a shell shows it."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return code if code >= 0 else 128 - code


def start(command: list[str], env: dict[str, str], folder: Path) -> int:
    """Starts a command in a session of its own; what it prints goes to a file beside ``folder``."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        output = os.open(printed_file(folder), os.O_WRONLY | os.O_CREAT)
        for number in (1, 2):
            os.dup2(output, number)
        os.execvpe(command[0], command, env)  # noqa: S606
    return pid


def printed_file(folder: Path) -> Path:
    return folder.with_name("printed.txt")


def start_on_terminal(command: list[str], env: dict[str, str]) -> tuple[int, int]:
    """Starts a command on a terminal of its own; gives its process id and our end of the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, env)  # noqa: S606
    return pid, terminal


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_leaves_nothing(host: Host, tmp_path: Path, moment: str) -> None:
    results = tmp_path / "results"
    pid = start(run_sh(results), host.env, results)
    wait_for_keyword(results, moment)
    os.kill(pid, signal.SIGKILL)
    assert status_of(pid) == 128 + signal.SIGKILL
    host.assert_clean_after_next_start()


@pytest.mark.nightly
def test_a_killed_run_of_several_processes_leaves_nothing(host: Host, tmp_path: Path) -> None:
    results = tmp_path / "results"
    pid = start(run_sh(results, "--processes", "2"), host.env, results)
    wait_for_keyword(results, "Wait Until VMs Are Ready")
    os.kill(pid, signal.SIGKILL)
    assert status_of(pid) == 128 + signal.SIGKILL
    host.assert_clean_after_next_start()


@pytest.mark.parametrize(
    ("number", "options"),
    [
        pytest.param(signal.SIGINT, (), id="SIGINT", marks=pytest.mark.nightly),
        pytest.param(signal.SIGTERM, (), id="SIGTERM"),
        pytest.param(signal.SIGINT, ("--processes", "2"), id="SIGINT, two processes", marks=pytest.mark.nightly),
    ],
)
def test_a_signalled_run_stops_its_cluster_and_says_so(
    host: Host, tmp_path: Path, number: int, options: tuple[str, ...]
) -> None:
    results = tmp_path / "results"
    pid = start(run_sh(results, *options), host.env, results)
    wait_for_keyword(results, "Wait Until VMs Are Ready")
    os.kill(pid, number)
    assert status_of(pid) == 130, read(printed_file(results))
    host.assert_clean()
    assert host.files() == []
    assert (results / "log.html").exists()


@pytest.mark.circumstance(
    "Ctrl-C stops a run while a keyword waits",
    topic="input",
    sees="Interrupted",
    verdict="exit 130",
    source="https://github.com/robotframework/robotframework/issues/2451",
)
def test_control_c_on_a_terminal_stops_the_run(host: Host, tmp_path: Path) -> None:
    results = tmp_path / "results"
    pid, terminal = start_on_terminal(run_sh(results), host.env)
    wait_for_keyword(results, "Wait Until Change Has Settled")
    os.write(terminal, b"\x03")
    printed = b""
    with suppress(OSError):
        while chunk := os.read(terminal, 65536):
            printed += chunk
    assert status_of(pid) == 130, printed.decode()
    os.close(terminal)
    host.assert_clean()
    assert host.files() == []
    assert b"Interrupted" in printed


@pytest.mark.nightly
def test_the_kill_of_robot_alone_leaves_only_what_delete_leftovers_finds(tmp_path: Path) -> None:
    with embedded_cluster(tmp_path) as kubeconfig:
        api, results = Api(kubeconfig), tmp_path / "results"
        variable = ("--variable", f"KUBECONFIG:{kubeconfig}")
        with subprocess.Popen(
            robot_command(results, "--debugfile", str(results / "debug.txt"), *variable),
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
        ) as robot:
            wait_for_keyword(results, "Wait Until Change Has Settled")
            robot.kill()
        assert namespaces_of_runs(api)
        suite = tmp_path / "delete_leftovers.robot"
        suite.write_text(
            f"*** Settings ***\nLibrary    KubeVirtLibrary\nVariables    {ROOT}/variables/defaults.yaml\n"
            "*** Test Cases ***\nClean Up\n    Delete Orphaned Resources\n    [Teardown]    Close Cluster\n"
        )
        cleaned = run_robot(tmp_path / "cleaned", *variable, suites=suite)
        assert [outcome.verdict for outcome in cleaned.outcomes.values()] == ["PASS"], cleaned.printed
        wait_for(lambda: not namespaces_of_runs(api), "namespaces of aborted runs are gone")
        for path in (
            "/apis/kubevirt.io/v1/virtualmachines",
            "/apis/kubevirt.io/v1/virtualmachineinstances",
            "/apis/kubevirt.io/v1/virtualmachineinstancemigrations",
            "/apis/k8s.cni.cncf.io/v1/network-attachment-definitions",
        ):
            assert api.items(path) == []


def namespaces_of_runs(api: Api) -> list[str]:
    return [item["metadata"]["name"] for item in api.items("/api/v1/namespaces", labelSelector=RUN_LABEL)]
