# SPDX-License-Identifier: Apache-2.0
"""Clusters as processes: up, exec, and that nothing stays behind whatever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.cluster_process.state import Process, base_directory
from emulator.dataplane.userns import check_machine

ROOT = Path(__file__).resolve().parents[3]
LACKING = [str(finding) for finding in check_machine() if finding.fatal]
pytestmark = pytest.mark.skipif(bool(LACKING), reason="; ".join(LACKING))

PIPE = subprocess.PIPE
NAD = {
    "apiVersion": "k8s.cni.cncf.io/v1",
    "kind": "NetworkAttachmentDefinition",
    "metadata": {"name": "net"},
    "spec": {"config": '{"cniVersion": "0.3.1", "type": "bridge", "bridge": "br1", "vlan": 5}'},
}
INTERFACES = [{"name": "default", "masquerade": {}}, {"name": "net", "bridge": {}}]
VM = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "metadata": {"name": "vm"},
    "spec": {
        "runStrategy": "Always",
        "template": {
            "spec": {
                "domain": {"devices": {"interfaces": INTERFACES}, "memory": {"guest": "1Gi"}},
                "networks": [{"name": "default", "pod": {}}, {"name": "net", "multus": {"networkName": "net"}}],
            }
        },
    },
}


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.chdir(ROOT)
    return base_directory()


def emulator(*words: str) -> list[str]:
    return [sys.executable, "-m", "emulator", *words]


@contextlib.contextmanager
def up(*options: str) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A supervisor that is ready, and its cluster's directory."""
    with subprocess.Popen(emulator("up", *options), stdout=PIPE, stderr=PIPE, text=True) as supervisor:
        try:
            assert supervisor.stdout is not None
            line = supervisor.stdout.readline()
            assert line.startswith("export KUBECONFIG="), supervisor.stderr.read() if supervisor.stderr else ""
            yield supervisor, Path(line.strip().partition("=")[2]).parent
        finally:
            if supervisor.poll() is None:
                supervisor.terminate()


def kubectl(directory: Path, *words: str, given: str = "") -> str:
    words = ("kubectl", "--kubeconfig", str(directory / "kubeconfig"), *words)
    return subprocess.run(words, input=given, capture_output=True, text=True, check=True).stdout


def start_vm(directory: Path) -> None:
    for obj in (NAD, VM):
        kubectl(directory, "apply", "-f", "-", given=json.dumps(obj))
    kubectl(directory, "wait", "vm/vm", "--for=condition=AgentConnected", "--timeout=30s")


def descendants(pid: int) -> list[Process]:
    """Every process below ``pid``, guests included."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    return _alive(_below(pid, children))


def _below(pid: int, children: dict[int, list[int]]) -> list[int]:
    below = children.get(pid, [])
    return below + [deeper for child in below for deeper in _below(child, children)]


def _alive(pids: list[int]) -> list[Process]:
    return [process for process in map(Process.of, pids) if process]


def until(good: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not good():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_exec_hands_on_kubeconfig_and_exit_status(base: Path) -> None:
    script = 'kubectl get nodes -o name && kubectl config current-context && echo "$KUBECONFIG" && exit 7'
    ended = subprocess.run(emulator("exec", "--", "sh", "-c", script), capture_output=True, text=True, check=False)
    assert ended.returncode == 7, ended.stderr
    *nodes, context, kubeconfig = ended.stdout.split()
    assert nodes == ["node/embedded-1", "node/embedded-2"]
    assert context == "embedded"
    assert "not a real one: KubeVirt v1.9.0+embedded" in ended.stderr
    assert not Path(kubeconfig).exists()
    assert list(base.iterdir()) == []


def test_options_reach_every_process() -> None:
    words = ("exec", "--platform", "openshift", "--kubevirt", "1.8-gate", "--nodes", "3", "--speed", "20")
    script = "kubectl get nodes -o name; kubectl get clusterversion -o name; "
    script += "kubectl get kubevirt -A -o jsonpath={.items[0].status.observedKubeVirtVersion}; echo; "
    script += "kubectl get pods -n openshift-cnv -o name -l kubevirt.io=virt-handler"
    command = emulator(*words, "--defect", "peer-guest-dies", "--", "sh", "-c", script)
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    *nodes, version, kubevirt, first, second, third = ended.stdout.split()
    assert nodes == ["node/embedded-1", "node/embedded-2", "node/embedded-3"]
    assert version == "clusterversion.config.openshift.io/version"
    assert kubevirt == "v1.8.4+embedded"
    assert len({first, second, third}) == 3
    assert "not a real one: KubeVirt v1.8.4+embedded on openshift 4.22.3" in ended.stderr
    assert "20 times as fast as a real control plane, defects: peer-guest-dies" in ended.stderr


def test_logs_of_a_launcher() -> None:
    with up() as (_, directory):
        start_vm(directory)
        launcher = kubectl(directory, "get", "pods", "-l", "kubevirt.io=virt-launcher", "-o", "name").strip()
        lines = kubectl(directory, "logs", launcher).splitlines()
        assert "Domain started." in [json.loads(line)["msg"] for line in lines]
        assert kubectl(directory, "logs", launcher, "--tail=1") == f"{lines[-1]}\n"
        with pytest.raises(subprocess.CalledProcessError) as refused:
            kubectl(directory, "logs", launcher, "-c", "other")
        assert "container other is not valid for pod" in refused.value.stderr


def test_command_that_is_signalled() -> None:
    ended = subprocess.run(emulator("exec", "--", "sh", "-c", "kill -TERM $$"), capture_output=True, check=False)
    assert ended.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.nightly), signal.SIGTERM])
def test_up_ends_in_order(base: Path, tmp_path: Path, number: int) -> None:
    out = tmp_path / "copy"
    with up("--kubeconfig-out", str(out)) as (supervisor, _):
        assert out.stat().st_mode & 0o777 == 0o600
        below = descendants(supervisor.pid)
        assert len(below) >= 2
        supervisor.send_signal(number)
        assert supervisor.wait(10) == 0
    assert not out.exists()
    assert list(base.iterdir()) == []
    assert not [process for process in below if process.is_alive()]


def test_killed_supervisor_leaves_nothing(base: Path) -> None:
    links, mounts = sorted(Path("/sys/class/net").iterdir()), Path("/proc/self/mounts").read_text()
    with up() as (supervisor, directory):
        start_vm(directory)
        below = descendants(supervisor.pid)
        assert len(below) > 3, "the guest's processes are among them"
        supervisor.kill()
    assert until(lambda: not [process for process in below if process.is_alive()])
    assert directory.is_dir()
    cleaned = subprocess.run(emulator("clean"), capture_output=True, text=True, check=True)
    assert cleaned.stdout == "removed the remains of 1 dead clusters\n"
    assert list(base.iterdir()) == []
    assert sorted(Path("/sys/class/net").iterdir()) == links
    assert Path("/proc/self/mounts").read_text() == mounts


def test_killed_exec_takes_its_command_along(base: Path) -> None:
    words = emulator("exec", "--", "sh", "-c", "echo started; exec sleep 300")
    with subprocess.Popen(words, stdout=PIPE, stderr=PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "started\n"
        below = descendants(supervisor.pid)
        supervisor.kill()
    assert until(lambda: not [process for process in below if process.is_alive()])
    subprocess.run(emulator("exec", "--", "true"), check=True, capture_output=True)
    assert list(base.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.nightly)])
def test_signal_reaches_the_command_first(base: Path, number: int) -> None:
    script = "import signal, sys\nfor n in (2, 15): signal.signal(n, lambda *_: sys.exit(3))\n"
    script += "print('started', flush=True)\nsignal.pause()"
    words = emulator("exec", "--", sys.executable, "-c", script)
    with subprocess.Popen(words, stdout=PIPE, stderr=PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "started\n"
        supervisor.send_signal(number)
        assert supervisor.wait(15) == 3
    assert list(base.iterdir()) == []


@pytest.mark.parametrize("name", [pytest.param("control-plane", marks=pytest.mark.nightly), "node-agent"])
def test_dead_process_of_the_cluster_is_told(base: Path, name: str) -> None:
    module = {
        "control-plane": b"emulator.cluster_process.control_plane",
        "node-agent": b"emulator.cluster_process.node_agent",
    }[name]
    with up() as (supervisor, _):
        victim = next(
            p for p in descendants(supervisor.pid) if module in Path(f"/proc/{p.pid}/cmdline").read_bytes().split(b"\0")
        )
        os.kill(victim.pid, signal.SIGKILL)
        assert supervisor.wait(15) == 70
        assert supervisor.stderr is not None
        told = supervisor.stderr.read()
    assert f"the {name} process ended (signal SIGKILL); its last lines were:" in told
    assert list(base.iterdir()) == []


def test_clusters_do_not_disturb_each_other() -> None:
    with up() as (_, first), up() as (_, second):
        assert first != second
        kubectl(first, "create", "namespace", "mine")
        assert "mine" not in kubectl(second, "get", "namespaces", "-o", "name")
        start_vm(second)
    assert not first.exists()
    assert not second.exists()
