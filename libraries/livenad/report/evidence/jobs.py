# SPDX-License-Identifier: Apache-2.0
"""The jobs that collect evidence: one for each file, independent of each other."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

import yaml

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.history import History
from livenad.api.kinds import EVENT, POD, VMI, Kind, Object, dig, meta
from livenad.context import Run
from livenad.errors import LabError
from livenad.guest.guests import Guests
from livenad.ownership.naming import Naming
from livenad.report.evidence.catalogue import (
    CLUSTER_OBJECTS,
    FILE_BYTES,
    GUEST_COMMANDS,
    GUEST_SECONDS,
    LOG_LINES,
    OBJECTS,
)
from livenad.report.evidence.store import Store

_PATIENCE = 3.0
_READ_SECONDS = 15.0
_LAUNCHER = "kubevirt.io=virt-launcher"


@dataclass(frozen=True)
class Job:
    """One file: its name, its title, and the function that reads its text."""

    file: str
    title: str
    read: Callable[[], str]


def jobs_of(run: Run, store: Store) -> Iterator[Job]:
    """The jobs to run now. The slowest come first."""
    cluster = Cluster(run.cluster.connection, patience=_PATIENCE)
    if suite := run.suite:
        for record in suite.vms:
            read = _guest(suite.guests, suite.recorder.history, record.name)
            yield Job(f"guest-{record.name}.txt", f"guest {record.name}: interfaces, routes, neighbours", read)
        history, namespace = suite.recorder.history, suite.namespace
        yield from _logs(cluster, namespace.name, history)
        yield Job("events.txt", "events of the namespace", lambda: events_text(history))
        for kind in OBJECTS:
            read = _objects(cluster, store, kind, namespace.name, namespace.naming)
            yield Job(f"{kind.plural}.yaml", f"{kind.name} objects", read)
        yield Job("history.jsonl", "every state that was recorded", lambda: _history_text(history, store))
    for kind in CLUSTER_OBJECTS:
        read = _objects(cluster, store, kind, None, Naming())
        yield Job(f"{kind.plural}.yaml", f"{kind.name} objects of the cluster", read)
    yield Job("versions.txt", "versions, and the values of this run", lambda: _versions(run))


def events_text(history: History) -> str:
    """The events in the order in which they were seen, a line each."""
    lines = []
    for record in history.records(EVENT):
        event = record.object
        about = f"{dig(event, 'involvedObject', 'kind')} {dig(event, 'involvedObject', 'name')}"
        when = event.get("lastTimestamp") or event.get("eventTime") or meta(event, "creationTimestamp")
        lines.append(f"{when}  {event.get('type'):<7}  {about}: {event.get('reason')}: {event.get('message')}")
    return "\n".join(lines) + "\n"


def _objects(cluster: Cluster, store: Store, kind: Kind, namespace: str | None, naming: Naming) -> Callable[[], str]:
    def read() -> str:
        try:
            listed = cluster.list(kind, namespace, naming.selector(kind)).items
        except ApiError as error:
            if error.status == 404:
                return ""
            raise
        return as_yaml([store.redaction.object(item) for item in listed if naming.owns(kind, item)])

    return read


def as_yaml(items: list[Object]) -> str:
    """Objects as a stream of YAML documents, keys in the order of the API."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump_all(items, Dumper=dumper, sort_keys=False, width=160, explicit_start=True, allow_unicode=True)


def _logs(cluster: Cluster, namespace: str, history: History) -> Iterator[Job]:
    """One file a container of each launcher pod; pods that were recorded and are gone have no log any more."""
    label, _, value = _LAUNCHER.partition("=")
    for pod in history.all(POD):
        if meta(pod, "labels", {}).get(label) != value:
            continue
        name = meta(pod, "name")
        containers = [*(dig(pod, "spec", "initContainers") or []), *(dig(pod, "spec", "containers") or [])]
        for container in (str(entry.get("name")) for entry in containers):
            read = _log(cluster, namespace, name, container)
            yield Job(f"log-{name}-{container}.txt", f"log of {name}, container {container}", read)


def _log(cluster: Cluster, namespace: str, pod: str, container: str) -> Callable[[], str]:
    def read() -> str:
        query = {"container": container, "tailLines": str(LOG_LINES), "limitBytes": str(FILE_BYTES)}
        answer = cluster.open_watch(f"{POD.path(namespace, pod)}/log", query, _READ_SECONDS)
        try:
            text = answer.read(FILE_BYTES).decode(errors="replace")
        finally:
            answer.release_conn()
        if answer.status != 200:
            raise LabError(f"GET {POD.path(namespace, pod)}/log?{urlencode(query)}: {answer.status} {_reason(text)}")
        return text

    return read


def _reason(text: str) -> str:
    """The message of a Status object, else the text itself."""
    with suppress(ValueError, KeyError, TypeError):
        return str(json.loads(text)["message"])
    return text[:300]


def _guest(guests: Guests, history: History, name: str) -> Callable[[], str]:
    def read() -> str:
        if history.current(VMI, name) is None:
            raise LabError(f"VM {name} does not run: it has no VMI")
        script = "\n".join(f"echo '== {entry.title}'; {{ {entry.command}; }} 2>&1" for entry in GUEST_COMMANDS)
        shell = guests.shell(name)
        shell.prepare(GUEST_SECONDS)
        return shell.run(script, GUEST_SECONDS, check=False).stdout

    return read


def _history_text(history: History, store: Store) -> str:
    lines = []
    for line in history.json_lines():
        record = json.loads(line)
        record["object"] = store.redaction.object(record["object"])
        lines.append(json.dumps(record, separators=(",", ":")))
    return "\n".join(lines) + "\n"


def _versions(run: Run) -> str:
    facts = run.facts
    kubevirt = facts.kubevirt.version_text if facts.kubevirt else "not installed"
    lines = [f"run: {run.run_id}", f"python: {platform.python_version()}"]
    lines += [f"server: {facts.server}", f"kubernetes: {facts.server_version}", f"kubevirt: {kubevirt}"]
    lines.append(f"user: {facts.user}")
    lines += [
        f"capability {name}: {measured.there}, {measured.value}"
        for name, measured in sorted(run.capabilities.known.items())
    ]
    lines += [f"variable {name.upper()}: {value}" for name, value in asdict(run.settings).items()]
    return "\n".join(lines) + "\n"
