# SPDX-License-Identifier: Apache-2.0
"""From kubeconfig files, or a pod's service account, to the client's configuration. Nothing is sent here."""

from __future__ import annotations

import ipaddress
import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from livenad.api.bounded import within
from livenad.api.impersonation import Headers, impersonation_of
from livenad.errors import BadInput, LabError
from livenad.secret_text import remember, without_secrets

IN_CLUSTER = "the pod's service account"

PLUGIN_SECONDS = 60.0
"""For how long an exec plugin may take: some ask a person to log in."""

_CLUSTER = ("clusters", "cluster")
_SECRET_NAME = re.compile(r"(?i)token$|password|passwd|secret|key-data|private|credential")


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
            f'kubeconfig "{files}" ({origin}) does not exist; give one with --kubeconfig of run.sh, with --variable '
            "KUBECONFIG:<path> or the environment variable KUBECONFIG, or start an embedded cluster: "
            "python -m emulator up"
        )
    return os.pathsep.join(str(path) for path in there)


@dataclass(frozen=True)
class Access:
    """The client's configuration, what is impersonated, and when the credentials expire (None: not known)."""

    configuration: Any
    impersonation: Headers = ()
    expires: datetime | None = None


def load_in_cluster() -> Access:
    """The configuration of a pod."""
    from kubernetes import client, config  # noqa: PLC0415 - the client is slow to import

    configuration = client.Configuration()
    loader: Any = config
    with _named(IN_CLUSTER):
        loader.load_incluster_config(client_configuration=configuration)
    return Access(configuration)


def load(files: str, context: str) -> Access:
    """The configuration of a context, the current one for ""; exec plugins are run, token files read."""
    from kubernetes import client  # noqa: PLC0415
    from kubernetes.config.kube_config import KubeConfigLoader  # noqa: PLC0415

    loader: Any = KubeConfigLoader
    with _named(files):
        merged, chosen = _choose(files, context)
        _remember(merged)
        entry = merged["contexts"].get_with_name(chosen).value.get("context") or {}
        user, cluster = (_entry(merged, plural, key, entry) for plural, key in (("users", "user"), _CLUSTER))
        _require_plugin(user, files)
        impersonation = impersonation_of(user, f'kubeconfig {files}, context "{chosen}"')
        configuration = client.Configuration()
        loaded = loader(config_dict=merged, active_context=chosen, config_base_path=None)
        lines: list[str] = []

        def read() -> None:
            with _complaints(lines):
                loaded.load_and_set(configuration)

        _read_credentials(read, user, files, chosen)
    # The holder of the connection renews it: the client would run the plugin again within any request.
    configuration.refresh_api_key_hook = None
    if not str(configuration.host).startswith(("https://", "http://")):
        raise BadInput(f'kubeconfig {files}, context "{chosen}": server "{configuration.host}" is not a URL')
    if user.get("exec") and not configuration.api_key and not configuration.cert_file:
        said = "; ".join(lines) or "it gave neither a token nor a certificate"
        said += "; it must print an ExecCredential in JSON" if "decode process output" in said else ""
        raise BadInput(
            f'kubeconfig {files}, context "{chosen}": exec plugin "{user["exec"].get("command")}" gave no credentials: '
            f"{said}; run it by hand, or log in again"
        )
    if cluster.get("proxy-url"):
        # As kubectl does: NO_PROXY is about the proxies of the environment.
        configuration.no_proxy = None
    elif _is_loopback(str(configuration.host)):
        # As kubectl does: a proxy of the environment has another loopback.
        configuration.proxy = None
    return Access(configuration, impersonation, getattr(loaded, "expiry", None))


def check_context(files: str, context: str) -> None:
    """Raises BadInput for files that are no kubeconfig, and for a context that they do not have; "" is the current one.

    Nothing else of them is read, and no exec plugin is run.
    """
    with _named(files):
        _choose(files, context)


def _choose(files: str, context: str) -> tuple[Any, str]:
    """The merged files, and the context to use."""
    from kubernetes.config.kube_config import KubeConfigMerger  # noqa: PLC0415 - the client is slow to import

    merger: Any = KubeConfigMerger
    merged = merger(files).config
    if merged is None:
        raise BadInput(f"kubeconfig {files} is empty")
    known = [str(entry.value["name"]) for entry in merged["contexts"]] if "contexts" in merged else []
    chosen = context or str(merged.value.get("current-context") or "")
    origin = "variable CONTEXT" if context else "its current-context"
    listed = ", ".join(known) or "none"
    if not chosen:
        raise BadInput(
            f"kubeconfig {files} has no current-context; name one with --variable CONTEXT:<name>; it has: {listed}"
        )
    if chosen not in known:
        raise BadInput(f'context "{chosen}" ({origin}) is not in kubeconfig {files}; it has: {listed}')
    return merged, chosen


def _is_loopback(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _read_credentials(work: Callable[[], None], user: dict[str, Any], files: str, context: str) -> None:
    """An exec plugin, or a server that renews tokens, may never answer."""
    try:
        within(PLUGIN_SECONDS, work)
    except TimeoutError:
        what = f'exec plugin "{user["exec"].get("command")}"' if user.get("exec") else "what renews its token"
        raise BadInput(
            f'kubeconfig {files}, context "{context}": {what} gave no credentials within {PLUGIN_SECONDS:.0f} s; '
            "run it by hand, or log in again"
        ) from None


def _remember(merged: Any) -> None:
    """What a user entry keeps secret is told by no message from now on."""

    def secrets(value: Any, key: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, item in value.items():
                yield from secrets(item, str(name))
            if _SECRET_NAME.search(str(value.get("name", ""))):  # of an exec plugin's environment
                yield str(value.get("value") or "")
        elif isinstance(value, list):
            for item in value:
                yield from secrets(item, key)
        elif _SECRET_NAME.search(key) and value:
            yield str(value)

    for entry in merged.value.get("users") or ():
        remember(*secrets(entry.value.get("user"), ""))
    for entry in merged.value.get("clusters") or ():
        proxy = urlsplit(str((entry.value.get("cluster") or {}).get("proxy-url") or ""))
        remember(proxy.password or "", unquote(proxy.password or ""))


def _entry(merged: Any, plural: str, key: str, context: dict[str, Any]) -> dict[str, Any]:
    """User or cluster of a context, as they stand in the merged files."""
    if plural not in merged or not isinstance(merged.value[plural], list):
        return {}
    found = merged[plural].get_with_name(context.get(key), safe=True)
    return dict((found.value if found is not None else {}).get(key) or {})


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
def _complaints(lines: list[str]) -> Iterator[None]:
    """Adds what the client logs as errors meanwhile: it goes on without the credentials that it could not get.

    Of this thread alone: others may read the credentials of other connections.
    """
    here = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        own = record.levelno >= logging.ERROR and "kubernetes" in record.pathname and record.thread == here
        if own:
            lines.append(without_secrets(" ".join(record.getMessage().split())))
        return not own

    root = logging.getLogger()
    root.addFilter(keep)
    try:
        yield
    finally:
        root.removeFilter(keep)


@contextmanager
def _named(source: str) -> Iterator[None]:
    """Whatever goes wrong while credentials are read becomes one line that names where they are read from."""
    try:
        yield
    except LabError:
        raise
    except Exception as error:  # the client raises ValueError, KeyError, YAML and its own errors alike
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        told = without_secrets(first)
        raise BadInput(f"cannot use {source}: {told}; check it with: kubectl --kubeconfig {source} version") from None
