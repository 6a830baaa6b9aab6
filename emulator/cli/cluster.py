# SPDX-License-Identifier: Apache-2.0
"""``up`` and ``exec``: a cluster in the foreground, alone or around a command."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from ..cluster_process import parent_death
from ..cluster_process.child import ChildDied
from ..cluster_process.kubeconfig import write_private
from ..cluster_process.options import ClusterOptions
from ..cluster_process.state import StateError
from ..cluster_process.supervisor import RunningCluster, running_cluster
from ..controlplane.profile import profile_for
from ..dataplane.errors import DataPlaneError
from ..dataplane.userns import check_machine
from ..platforms.platform import platform_for
from .unexpected import BROKEN, UsageError

STOP_PATIENCE = 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Body = Callable[[RunningCluster, "asyncio.Queue[int]"], Awaitable[int]]


def up(arguments: argparse.Namespace) -> int:
    """Prints how to use the cluster, and keeps it until a signal comes."""
    out = Path(arguments.kubeconfig_out).absolute() if arguments.kubeconfig_out else None
    if out and not out.parent.is_dir():
        raise UsageError(f"--kubeconfig-out {out}: there is no directory {out.parent}")

    async def body(cluster: RunningCluster, signals: asyncio.Queue[int]) -> int:
        if out:
            write_private(out, cluster.kubeconfig.read_text())
        _banner(cluster)
        print(f"export KUBECONFIG={out or cluster.kubeconfig}", flush=True)
        try:
            await signals.get()
        finally:
            if out:
                out.unlink(missing_ok=True)
        return 0

    return _run(_options(arguments), body)


def execute(arguments: argparse.Namespace) -> int:
    """Runs the command with KUBECONFIG set; answers its exit status."""
    command = arguments.words[1:] if arguments.words[:1] == ["--"] else arguments.words
    if not command:
        raise UsageError("no command given; expected: exec [options] -- CMD [arguments]")
    if not shutil.which(command[0]):
        print(f"python -m emulator exec: {command[0]}: command not found", file=sys.stderr)
        return 127

    async def body(cluster: RunningCluster, signals: asyncio.Queue[int]) -> int:
        _banner(cluster)
        return await _command(command, cluster, signals)

    return _run(_options(arguments), body)


def _options(arguments: argparse.Namespace) -> ClusterOptions:
    options = ClusterOptions(
        kubevirt=arguments.kubevirt,
        nodes=arguments.nodes,
        speed=arguments.speed,
        defects=tuple(arguments.defect),
        platform=arguments.platform,
        dynamic_networks=arguments.dynamic_networks,
        shortest_token=arguments.shortest_token,
        lazy_guests=arguments.lazy_guests,
        audit_log=str(Path(arguments.audit_log).absolute()) if arguments.audit_log else "",
    )
    try:
        options.check()
    except ValueError as error:
        raise UsageError(str(error)) from None
    return options


def _run(options: ClusterOptions, body: Body) -> int:
    findings = check_machine()
    for finding in findings:
        print(f"python -m emulator: {finding}", file=sys.stderr)
    if any(finding.fatal for finding in findings):
        return BROKEN
    return asyncio.run(_with_cluster(options, body))


async def _with_cluster(options: ClusterOptions, body: Body) -> int:
    signals: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, signals.put_nowait, number)
    starting = asyncio.ensure_future(_start_and_run(options, body, signals))
    try:
        return await starting
    except* (ChildDied, StateError, DataPlaneError) as group:
        for line in _messages(group):
            print(f"python -m emulator: {line}", file=sys.stderr)
        return_code = BROKEN
    return return_code


async def _start_and_run(options: ClusterOptions, body: Body, signals: asyncio.Queue[int]) -> int:
    ended: RunningCluster | None = None
    try:
        async with running_cluster(options) as cluster:
            ended = cluster
            if not signals.empty():
                return 128 + signals.get_nowait()
            return await _until_either_ends(cluster, body, signals)
    finally:
        if ended and options.lazy_guests:
            print(f"Embedded cluster {ended.state.id}: {ended.guests}", file=sys.stderr, flush=True)


async def _until_either_ends(cluster: RunningCluster, body: Body, signals: asyncio.Queue[int]) -> int:
    watching = asyncio.ensure_future(cluster.watch())
    working = asyncio.ensure_future(body(cluster, signals))
    try:
        await asyncio.wait((watching, working), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            watching.result()
        return await working
    finally:
        for task in (watching, working):
            task.cancel()
        await asyncio.gather(watching, working, return_exceptions=True)


def _messages(error: BaseException) -> list[str]:
    """What the exceptions inside groups say."""
    if isinstance(error, BaseExceptionGroup):
        return [message for inner in error.exceptions for message in _messages(inner)]
    return [str(error)]


def _banner(cluster: RunningCluster) -> None:
    options = cluster.options
    defects = f", defects: {', '.join(options.defects)}" if options.defects else ""
    version = profile_for(options.kubevirt).version
    release = platform_for(options.platform).releases.get(options.kubevirt, "")
    on = f" on {options.platform} {release}" if release else ""
    print(
        f"Embedded cluster with id {cluster.state.id}, not a real one: KubeVirt {version}{on}, {options.nodes} nodes, "
        f"{options.speed:g} times as fast as a real control plane{defects}",
        file=sys.stderr,
        flush=True,
    )


async def _command(command: list[str], cluster: RunningCluster, signals: asyncio.Queue[int]) -> int:
    """Runs the user's command in the terminal's foreground, and forwards signals to it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-ISs",
        parent_death.__file__,
        str(os.getpid()),
        str(int(signal.SIGTERM)),
        *command,
        env=os.environ | {"KUBECONFIG": str(cluster.kubeconfig)},
    )
    cluster.state.add_process(process.pid)
    ending = asyncio.ensure_future(process.wait())
    try:
        while not ending.done():
            next_signal = asyncio.ensure_future(signals.get())
            await asyncio.wait((ending, next_signal), return_when=asyncio.FIRST_COMPLETED)
            if not next_signal.done():
                next_signal.cancel()
            elif next_signal.result() != signal.SIGINT or not _in_foreground():
                # The terminal has already sent its Ctrl-C to the command.
                _send(process, next_signal.result())
        status = ending.result()
        return status if status >= 0 else 128 - status
    finally:
        ending.cancel()
        if process.returncode is None:
            _send(process, signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), STOP_PATIENCE)
            except TimeoutError:
                _send(process, signal.SIGKILL)
                await process.wait()


def _in_foreground() -> bool:
    """Whether this process group is the one that a terminal's keys reach."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


def _send(process: asyncio.subprocess.Process, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
