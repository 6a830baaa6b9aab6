# SPDX-License-Identifier: Apache-2.0
"""A keyword library for runs without a cluster, on connections that break."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from KubeVirtLibrary import opening
from KubeVirtLibrary.base import SESSION, KeywordComponent, LibraryBase
from KubeVirtLibrary.log import suite_name
from livenad.api import client
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.history import History
from livenad.api.kinds import NODE
from livenad.api.recorder import silent
from livenad.cluster.facts import ClusterFacts
from livenad.context import Run
from livenad.errors import LabError
from livenad.guest.guests import Guests
from livenad.model import GuestLogin, Nic, VmRecord
from livenad.report.evidence import jobs
from livenad.settings import Settings
from robot.api.deco import keyword

# A server that stays silent costs the whole of these.
opening._FIRST_CONTACT_SECONDS = 0.4
client._SHORTEST_READ_SECONDS = 0.3
jobs._PATIENCE = 0.3


class StreamKeywords(KeywordComponent):
    @keyword(tags=["cluster", "core"])
    def break_an_open_run(self, kubeconfig: str) -> None:
        """As if the cluster had been opened before its connection broke: the listener keeps evidence of it."""
        cluster = Cluster(open_connection(kubeconfig), 0.4, 0.4)
        facts = ClusterFacts(cluster.connection.server, "v1.36.0", "alice", None, None)
        SESSION.run = Run(Settings(), cluster, facts, opened_in=suite_name(), heartbeat=silent)
        cluster.list(NODE)

    @keyword(tags=["commands", "core"])
    def run_in_guests(self, folder: str, seconds: float, *kubeconfigs: str) -> None:
        """Over SSH and on the console, by each kubeconfig, all at the same time. Raises what came of it, all in one.

        ``folder`` holds the guest's ``password``, its user's ``guest.key`` and its public host key ``host.pub``.
        """
        names = ("password", "guest.key", "host.pub")
        password, key, host = ((Path(folder) / name).read_text(encoding="utf-8") for name in names)
        record = VmRecord("web", "demo", GuestLogin("tester", password, key, host), [Nic("default", "")])
        nothing: Any = SimpleNamespace(history=History())

        def run(job: tuple[str, str]) -> str:
            kubeconfig, via = job
            guests = Guests(Cluster(open_connection(kubeconfig), 1), nothing, lambda _: record, print)
            try:
                getattr(guests, via)("web").run("true", seconds)
            except LabError as error:
                return f"{Path(kubeconfig).parent.name} {via}: {error}"
            finally:
                guests.close()
            return f"{Path(kubeconfig).parent.name} {via}: it worked"

        jobs = [(kubeconfig, via) for kubeconfig in kubeconfigs for via in ("ssh", "console")]
        with ThreadPoolExecutor(len(jobs)) as threads:
            raise LabError("\n".join(threads.map(run, jobs)))


class breaking_streams(LibraryBase):  # noqa: N801 - Robot wants the module's name
    def __init__(self) -> None:
        super().__init__(StreamKeywords)
