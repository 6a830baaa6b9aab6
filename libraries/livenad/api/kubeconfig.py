"""From kubeconfig files, or a pod's service account, to the client's configuration. Nothing is sent here."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from livenad.errors import BadInput, LabError

IN_CLUSTER = "the pod's service account"


def files_of(kubeconfig: str) -> str:
    """The kubeconfig files there are, joined by ``:``; "" in a pod without any. Raises BadInput when none exists.

    ``kubeconfig`` empty: ``$KUBECONFIG``, then ``~/.kube/config``.
    """
    origin = "variable KUBECONFIG" if kubeconfig else "environment variable KUBECONFIG"
    files = kubeconfig or os.environ.get("KUBECONFIG", "")
    if not files:
        default = Path("~/.kube/config").expanduser()
        if not default.is_file() and os.environ.get("KUBERNETES_SERVICE_HOST"):
            return ""
        files, origin = str(default), "the default path"
    paths = [Path(part).expanduser() for part in files.split(os.pathsep) if part]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise BadInput(
            f'kubeconfig "{files}" ({origin}) does not exist; give one with --variable KUBECONFIG:<path> or the '
            "environment variable KUBECONFIG, or start an embedded cluster: python -m emulator up"
        )
    return os.pathsep.join(str(path) for path in there)


def load_in_cluster() -> Any:
    """The configuration of a pod."""
    from kubernetes import client, config  # noqa: PLC0415 - the client is slow to import

    configuration = client.Configuration()
    loader: Any = config
    with _named(IN_CLUSTER):
        loader.load_incluster_config(client_configuration=configuration)
    return configuration


def load(files: str, context: str) -> Any:
    """The configuration of a context, the current one for ""; exec plugins are run, token files read."""
    from kubernetes import client, config  # noqa: PLC0415

    loader: Any = config
    with _named(files):
        known, current = loader.list_kube_config_contexts(config_file=files)
        entries = {str(entry["name"]): entry.get("context") or {} for entry in known}
        if context and context not in entries:
            raise BadInput(
                f'context "{context}" (variable CONTEXT) is not in kubeconfig {files}; it has: {", ".join(entries)}'
            )
        chosen = context or str(current["name"])
        user, cluster = _entries(files, entries[chosen])
        _require_plugin(user, files)
        configuration = client.Configuration()
        with _complaints() as lines:
            loader.load_kube_config(
                config_file=files, context=chosen, client_configuration=configuration, persist_config=False
            )
    if not str(configuration.host).startswith(("https://", "http://")):
        raise BadInput(f'kubeconfig {files}, context "{chosen}": server "{configuration.host}" is not a URL')
    if user.get("exec") and not configuration.api_key and not configuration.cert_file:
        said = "; ".join(lines) or "it gave neither a token nor a certificate"
        raise BadInput(
            f'kubeconfig {files}, context "{chosen}": exec plugin "{user["exec"].get("command")}" gave no credentials: '
            f"{said}; run it by hand, or log in again"
        )
    if cluster.get("proxy-url"):
        # As kubectl does: NO_PROXY is about the proxies of the environment.
        configuration.no_proxy = None
    return configuration


def _entries(files: str, context: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """User and cluster of a context, as they stand in the merged files."""
    from kubernetes.config.kube_config import KubeConfigMerger  # noqa: PLC0415

    merger: Any = KubeConfigMerger

    def entry(plural: str, key: str) -> dict[str, Any]:
        found = merger(files).config[plural].get_with_name(context.get(key), safe=True)
        return dict((found.value if found is not None else {}).get(key) or {})

    return entry("users", "user"), entry("clusters", "cluster")


def _require_plugin(user: dict[str, Any], files: str) -> None:
    """One clear line for an exec plugin that is not there."""
    command = str((user.get("exec") or {}).get("command") or "")
    base = Path(files.split(os.pathsep, maxsplit=1)[0]).parent
    if command and not shutil.which(command) and not shutil.which(str(base / command)):
        hint = str(user["exec"].get("installHint") or "").strip()
        raise BadInput(
            f'exec plugin "{command}" of kubeconfig {files} is not there: install it or put it on PATH'
            + (f"; {hint}" if hint else "")
        )


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What the client logs as errors meanwhile: it goes on without the credentials that it could not get."""
    lines: list[str] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(" ".join(record.getMessage().split()))

    keeper, root = Keeper(logging.ERROR), logging.getLogger()
    root.addHandler(keeper)
    try:
        yield lines
    finally:
        root.removeHandler(keeper)


@contextmanager
def _named(source: str) -> Iterator[None]:
    """Whatever goes wrong while credentials are read becomes one line that names where they are read from."""
    try:
        yield
    except LabError:
        raise
    except Exception as error:  # the client raises ValueError, KeyError, YAML and its own errors alike
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise BadInput(f"cannot use {source}: {first}; check it with: kubectl --kubeconfig {source} version") from error
