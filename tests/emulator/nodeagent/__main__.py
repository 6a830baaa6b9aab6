# SPDX-License-Identifier: Apache-2.0
# SPDX-License-Identifier: Apache-2.0
# SPDX-License-Identifier: Apache-2.0
"""``python -m tests.emulator.nodeagent [options of robot]``: suites through the node agent alone, one after the other.

The API server enforces the roles of a real kubelet, Multus and virt-handler, and both restrictions of a virt-handler to
its node. The agent is started as its documentation says, with the kubeconfig of these identities and nothing else. A
request of it that is refused for lack of rights, or by a restriction, is a failure.

All 30 suites took 393 s beside other work on two cores. A suite that was green is not run again with the same
``--folder``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emulator.cluster_process.identities import ADMIN, node_identities
from emulator.cluster_process.options import ClusterOptions
from emulator.cluster_process.process_config import ProcessConfig
from emulator.cluster_process.supervisor import RunningCluster, running_cluster
from emulator.dataplane.host_link import what_forbids_it
from emulator.platforms.platform import OPENSHIFT, platform_for
from testplan.suites import read_tests
from tests.embedded import ROOT, run_robot

_LONGEST = 600.0
_SHOWN = 300
_LACK_OF_RIGHTS = (401, 403, 422)


@asynccontextmanager
async def agent_alone(cluster: RunningCluster, log_file: Path) -> AsyncIterator[None]:
    """The node agent of a cluster, by its command line, until the block ends."""
    folder, options = cluster.state.path, cluster.options
    files = ProcessConfig.read(folder / "config.json").certificates
    words = [
        *("--kubeconfig", str(folder / "agent.kubeconfig"), "--speed", f"{options.speed:g}"),
        *("--platform", options.platform),
        *(("--dynamic-networks-controller",) if options.dynamic_networks else ()),
        *(() if what_forbids_it() else ("--connect-host",)),
        *("--tls-cert", str(files.handler_cert), "--tls-key", str(files.handler_key)),
        *("--tls-client-ca", str(files.stream_ca)),
        *(word for node in options.node_names for word in ("--node", node)),
    ]
    with log_file.open("wb") as log:
        agent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "emulator", "node-agent", *words), cwd=ROOT, stderr=log
        )
    try:
        # One after the other: of several that are not there yet it says at once that they are not.
        for node in options.node_names:
            for state in ("create", "condition=Ready"):
                await kubectl(cluster.kubeconfig, "wait", f"--for={state}", f"node/{node}", "--timeout=60s")
        yield
    finally:
        if agent.returncode is None:
            agent.terminate()
        await agent.wait()


async def kubectl(kubeconfig: Path, *words: str) -> None:
    program = str(Path(sys.executable).with_name("kubectl"))
    process = await asyncio.create_subprocess_exec(
        *(program, "--kubeconfig", str(kubeconfig), *words), stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait():
        raise RuntimeError(f"kubectl {' '.join(words)}: exit code {process.returncode}")


@dataclass(frozen=True)
class Refusals:
    """What the audit log of a cluster tells of some users: how many requests, and how many refusals of each kind.

    A refusal is for lack of rights or by a restriction. A request to create something in a namespace that ends is
    refused with the same code (403), and does not count.
    """

    requests: int
    refused: dict[str, int]

    @classmethod
    def read(cls, audit: Path, users: set[str], since: int = 0) -> Refusals:
        """Those from line ``since`` of the log on."""
        ending, requests, refused = set(), 0, Counter[str]()
        for number, line in enumerate(audit.read_text(encoding="utf-8").splitlines()):
            event: dict[str, Any] = json.loads(line)
            code, target = event["responseStatus"]["code"], event.get("objectRef", {})
            if event["verb"] == "delete" and target.get("resource") == "namespaces":
                ending.add(target.get("name"))
            if event["user"].get("username") not in users or number < since:
                continue
            requests += 1
            late = event["verb"] == "create" and target.get("namespace") in ending
            if code in _LACK_OF_RIGHTS and not late:
                what = "/".join(filter(None, (target.get("resource"), target.get("subresource"))))
                refused[f"{event['user']['username']}: {event['verb']} {what}: {code}"] += 1
        return cls(requests, dict(refused))


@dataclass(frozen=True)
class Done:
    """A suite that was run: ``reds`` by test, its agent's requests, and those that were refused."""

    suite: str
    tests: int
    skipped: int
    seconds: float
    reds: dict[str, str]
    requests: int
    refused: dict[str, int]

    @property
    def green(self) -> bool:
        return bool(self.tests) and not self.reds and not self.refused

    def __str__(self) -> str:
        lines = [
            f"{'green' if self.green else 'RED  '} {self.seconds:5.0f} s  {self.suite}: {self.tests} tests, "
            f"{self.skipped} skipped; {self.requests} requests of the agent, {sum(self.refused.values())} refused",
            *(f"    {name}: {' '.join(message.split())[:_SHOWN]}" for name, message in self.reds.items()),
            *(f"    refused {times} times: {what}" for what, times in self.refused.items()),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Runs:
    """Where suites are run: the folder that has what was run, and what every run is given."""

    options: ClusterOptions
    folder: Path
    words: Sequence[str]

    async def run_all(self, suites: Sequence[str], until: float) -> None:
        """Runs suites on one cluster; none is begun after ``until``."""
        async with (
            running_cluster(self.options, nodes=False) as cluster,
            agent_alone(cluster, self.folder / "node-agent.log"),
        ):
            for suite in suites:
                if time.monotonic() < until:
                    print(await asyncio.to_thread(self.run, suite, cluster.kubeconfig), flush=True)

    def run(self, suite: str, kubeconfig: Path) -> Done:
        """Runs a suite, and writes what it was."""
        audit, began = Path(self.options.audit_log), time.monotonic()
        lines = len(audit.read_text(encoding="utf-8").splitlines())
        platform = platform_for(self.options.platform)
        users = {who.user for who in node_identities(platform, self.options.node_names)} - {ADMIN.user}
        # Of two variable files that have a value robot takes the first one's.
        profiles = (*(("embedded-openshift",) if platform is OPENSHIFT else ()), "embedded")
        given = [word for name in profiles for word in ("--variablefile", f"{ROOT}/variables/profiles/{name}.yaml")]
        shutil.rmtree(self.folder / suite, ignore_errors=True)
        run = run_robot(
            self.folder / suite,
            *("--suite", suite, *given, "--variable", f"KUBECONFIG:{kubeconfig}", *self.words),
            timeout=_LONGEST,
        )
        seen, outcomes = Refusals.read(audit, users, lines), run.outcomes.values()
        done = Done(
            suite,
            len(outcomes),
            sum(one.verdict == "SKIP" for one in outcomes),
            time.monotonic() - began,
            {one.name: one.message for one in outcomes if one.verdict not in ("PASS", "SKIP")},
            seen.requests,
            seen.refused,
        )
        (self.folder / f"{suite}.json").write_text(json.dumps(asdict(done)), encoding="utf-8")
        return done


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.emulator.nodeagent",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kubevirt", default=ClusterOptions.kubevirt, metavar="VERSION")
    parser.add_argument("--platform", default=ClusterOptions.platform, metavar="NAME")
    parser.add_argument("--dynamic-networks-controller", action="store_true")
    parser.add_argument("--folder", type=Path, default=ROOT / "results/node-agent-alone", help="what was run, and how")
    parser.add_argument("--only", action="append", default=[], metavar="SUITE", help="the name of a file of suites/")
    parser.add_argument("--minutes", type=float, default=1e6, help="no further suite is started after that time")
    chosen, words = parser.parse_known_args()
    until = time.monotonic() + 60 * chosen.minutes
    folder = chosen.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    options = ClusterOptions(
        chosen.kubevirt,
        platform=chosen.platform,
        dynamic_networks=chosen.dynamic_networks_controller,
        audit_log=str(folder / "audit.jsonl"),
    )
    options.check()
    wanted = sorted({test.source.stem for test in read_tests()})
    wanted = [suite for suite in wanted if not chosen.only or suite in chosen.only]
    files = {suite: folder / f"{suite}.json" for suite in wanted}
    if left := [suite for suite, file in files.items() if not (file.exists() and read_done(file).green)]:
        asyncio.run(Runs(options, folder, words).run_all(left, until))
    done = [read_done(file) for file in files.values() if file.exists()]
    missing = [suite for suite, file in files.items() if not file.exists()]
    red = [one for one in done if not one.green]
    print(
        f"{len(done)} of {len(wanted)} suites in {sum(one.seconds for one in done):.0f} s, {len(red)} red; "
        f"{sum(one.requests for one in done)} requests of the agent, "
        f"{sum(sum(one.refused.values()) for one in done)} refused"
        + (f"; call again for {', '.join(missing)}" if missing else "")
    )
    return 1 if red or missing else 0


def read_done(file: Path) -> Done:
    return Done(**json.loads(file.read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())
