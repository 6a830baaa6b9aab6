"""``python -m tests.emulator.nodeagent [options of robot]``: suites through the node agent alone.

The API server enforces the roles of a real kubelet, Multus and virt-handler, and both restrictions of a virt-handler to
its node. The agent is started as its documentation says, with the kubeconfig of these identities and nothing else. A
request of it that is refused for lack of rights, or by a restriction, is a failure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from emulator.cluster_process.identities import ADMIN, node_identities
from emulator.cluster_process.options import ClusterOptions
from emulator.cluster_process.process_config import ProcessConfig
from emulator.cluster_process.supervisor import RunningCluster, running_cluster
from emulator.dataplane.host_link import what_forbids_it
from emulator.platforms.platform import platform_for
from tests.embedded import ROOT, run_robot

_LONGEST = 1800.0
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


def refused(audit: Path, users: set[str]) -> Iterator[str]:
    """What these users were refused for lack of rights or by a restriction, one entry for each request.

    A request to create something in a namespace that ends is refused with the same code (403), and does not count.
    """
    ending = set()
    for line in audit.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        code, target = event["responseStatus"]["code"], event.get("objectRef", {})
        if event["verb"] == "delete" and target.get("resource") == "namespaces":
            ending.add(target.get("name"))
        late = event["verb"] == "create" and target.get("namespace") in ending
        if event["user"].get("username") in users and code in _LACK_OF_RIGHTS and not late:
            what = "/".join(filter(None, (target.get("resource"), target.get("subresource"))))
            yield f"{event['user']['username']}: {event['verb']} {what}: {code}"


async def serve(options: ClusterOptions, results: Path, words: list[str]) -> int:
    """0 where nothing is red and nothing was refused."""
    users = {who.user for who in node_identities(platform_for(options.platform), options.node_names)} - {ADMIN.user}
    async with running_cluster(options, nodes=False) as cluster, agent_alone(cluster, results / "node-agent.log"):
        began = time.monotonic()
        settings = ("--variablefile", str(ROOT / "variables/profiles/embedded.yaml"))
        given = ("--variable", f"KUBECONFIG:{cluster.kubeconfig}", *words)
        run = await asyncio.to_thread(run_robot, results, *settings, *given, timeout=_LONGEST)
        seconds = time.monotonic() - began
    reds = [one for one in run.outcomes.values() if one.verdict not in ("PASS", "SKIP")]
    for one in reds:
        print(f"{one.verdict}  {one.name}: {one.message}")
    told = Counter(refused(Path(options.audit_log), users))
    for what, times in told.items():
        print(f"refused {times} times: {what}")
    print(f"{len(run.outcomes)} tests in {seconds:.0f} s: {len(reds)} red, {sum(told.values())} requests refused")
    return 1 if reds or told else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.emulator.nodeagent", description=__doc__)
    parser.add_argument("--kubevirt", default=ClusterOptions.kubevirt, metavar="VERSION")
    parser.add_argument("--platform", default=ClusterOptions.platform, metavar="NAME")
    parser.add_argument("--dynamic-networks-controller", action="store_true")
    chosen, words = parser.parse_known_args()
    results = Path(tempfile.mkdtemp(prefix="node-agent-alone-"))
    options = ClusterOptions(
        chosen.kubevirt,
        platform=chosen.platform,
        dynamic_networks=chosen.dynamic_networks_controller,
        audit_log=str(results / "audit.jsonl"),
    )
    options.check()
    print(f"results: {results}", flush=True)
    return asyncio.run(serve(options, results, words))


if __name__ == "__main__":
    sys.exit(main())
