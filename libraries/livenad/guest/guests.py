# SPDX-License-Identifier: Apache-2.0
"""The guests of a suite: the shells in them, and what the cluster shows of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import Any

from livenad.api.client import Cluster
from livenad.api.connection import StreamOptions
from livenad.api.history import History
from livenad.api.kinds import VMI, dig
from livenad.api.recorder import Recorder
from livenad.api.status import condition_text, is_true
from livenad.errors import LabError, TestError
from livenad.guest.console.console_shell import ConsoleShell
from livenad.guest.in_parallel import in_parallel
from livenad.guest.requirements import missing_in
from livenad.guest.shells import Deadline, FallbackShell, GuestUnreachable, Shell
from livenad.guest.ssh import SshShell
from livenad.guest.streams import ByteStream, StreamRefused, WebSocketStream, open_console, open_port_forward
from livenad.guest.watched_shell import WatchedShell
from livenad.model import VmRecord

SSH_PORT = 22


class Guests:
    """Shells are made once per VM and kept: one SSH session and one console, never two consoles on one VM."""

    def __init__(
        self, client: Cluster, recorder: Recorder, record: Callable[[str], VmRecord], warn: Callable[[str], None]
    ) -> None:
        """``record`` looks a VM up by name; ``warn`` is told when another way into a guest had to be taken."""
        self.record = record
        self._client = client
        self._recorder = recorder
        self._warn = warn
        self._warnings: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._shells: dict[tuple[str, str], Shell] = {}
        self._missing: dict[str, list[str]] = {}

    @property
    def history(self) -> History:
        """The history of the suite's namespace."""
        return self._recorder.history

    def shell(self, name: str) -> Shell:
        """SSH, or the console where that fails or the VM has no pod network. TestError when no login is known.

        Without a password there is no login on the console, so SSH alone is left.
        """
        record = self.record(name)
        if not record.has_pod_network:
            shell = self.console(name)
        elif not record.login.password:
            shell = self.ssh(name)
        else:
            shell = FallbackShell(self.ssh(name), self.console(name), self._warnings.put)
        return self._once(name, "any", lambda: WatchedShell(shell, lambda patience: self._pause_of(name, patience)))

    def missing_tools(self, name: str) -> list[str]:
        """What the guest lacks, as in ``requirements.NEEDS``; asked once per guest."""
        if name not in self._missing:
            self._missing[name] = missing_in(self.shell(name))
        return self._missing[name]

    def ask_for_tools(self, names: Iterable[str]) -> None:
        """Learn of several guests what they lack, side by side: the first question of each opens its session."""
        failures: dict[str, LabError] = {}
        in_parallel([name for name in dict.fromkeys(names) if name not in self._missing], self.missing_tools, failures)
        for failure in failures.values():
            raise failure

    def ssh(self, name: str) -> Shell:
        """The standing SSH session. LabError for a VM without a pod network."""
        return self._once(name, "ssh", lambda: self.new_ssh(name))

    def new_ssh(self, name: str) -> SshShell:
        """A further SSH session that is not shared; the caller closes it."""
        record = self._with_login(name)
        if not record.has_pod_network:
            raise LabError(f"VM {record.namespace}/{name} has no pod network, so no SSH; use via=console")

        def connect(timeout: float) -> WebSocketStream:
            return self._open(
                lambda options, left: open_port_forward(options, record.namespace, name, SSH_PORT, left), timeout
            )

        return SshShell(f"{record.namespace}/{name}", record.login, connect, lambda: self.node_of(name))

    def console(self, name: str) -> Shell:
        """The one console session of a VM. GuestUnreachable where no password is known for it."""
        record = self._with_login(name)
        if not record.login.password:
            raise GuestUnreachable(
                f"guest {record.namespace}/{name} has no login on its console: no password was given for user "
                f'"{record.login.user}"'
            )

        def connect(timeout: float) -> ByteStream:
            return self._open(lambda options, left: open_console(options, record.namespace, name, left), timeout)

        return self._once(
            name,
            "console",
            lambda: ConsoleShell(f"{record.namespace}/{name}", record.login, connect, lambda: self.node_of(name)),
        )

    def vmi(self, name: str) -> dict[str, Any] | None:
        """The VMI as last recorded."""
        return self.history.current(VMI, name)

    def node_of(self, name: str) -> str | None:
        """The node on which the VM runs, as last recorded."""
        node: str | None = dig(self.vmi(name), "status", "nodeName")
        return node

    def _pause_of(self, name: str, patience: float) -> str:
        """How the VMI is paused, once it has been so for ``patience`` seconds; "" as soon as it is not."""
        since = self.history.since_when(VMI, name, lambda vmi: is_true(vmi, "Paused"))
        if since is None:
            return ""
        if self.history.wait(lambda: not is_true(self.vmi(name) or {}, "Paused"), since + patience, (name,)):
            return ""
        return f"the VMI is paused: {condition_text(self.vmi(name) or {}, 'Paused')}"

    def pod_address(self, name: str) -> str:
        """The address of a VM on the pod network, from its VMI. LabError that says what the VMI shows instead."""
        record = self.record(name)
        nic = next((nic for nic in record.nics if nic.network is None), None)
        interfaces = dig(self.vmi(name), "status", "interfaces", default=[])
        for interface in interfaces:
            if nic and interface.get("name") == nic.name and interface.get("ipAddress"):
                return str(interface["ipAddress"])
        seen = {interface.get("name"): interface.get("ipAddress") for interface in interfaces}
        raise LabError(f"VMI {record.namespace}/{name} shows no address on the pod network; it shows {seen}")

    def tell_warnings(self) -> None:
        """Passes on what happened in threads meanwhile: Robot takes messages of its own thread only."""
        while not self._warnings.empty():
            self._warn(self._warnings.get())

    def close(self) -> None:
        """Ends every session; the guests run on. Safe to call twice."""
        with self._lock:
            shells, self._shells = self._shells, {}
        by_name = {f"{name} {kind}": shell for (name, kind), shell in shells.items() if kind != "any"}
        in_parallel(list(by_name), lambda key: by_name[key].close(), {})
        self._missing.clear()

    def forget(self, name: str) -> None:
        """Ends the sessions of a VM that goes."""
        self._missing.pop(name, None)
        with self._lock:
            gone = [self._shells.pop(key) for key in list(self._shells) if key[0] == name]
        for shell in gone:
            shell.close()

    def _with_login(self, name: str) -> VmRecord:
        record = self.record(name)
        if not record.login.user:
            raise TestError(
                f"{record.subject}: no login of its guest is known; give user= and password= or private_key= to the "
                "keyword that named the VM"
            )
        return record

    def _once(self, name: str, kind: str, make: Callable[[], Shell]) -> Shell:
        with self._lock:
            if (name, kind) not in self._shells:
                self._shells[name, kind] = make()
            return self._shells[name, kind]

    def _open(self, opener: Callable[[StreamOptions, float], WebSocketStream], timeout: float) -> WebSocketStream:
        """A new stream; once more with renewed credentials where those that we had are not taken any more."""
        cluster, deadline = self._client, Deadline(timeout)
        try:
            return opener(cluster.stream_options(deadline.left), deadline.left)
        except StreamRefused as refused:
            stale = refused.status == 401 or (refused.status == 0 and cluster.connection.has_new_certificate())
            if not stale or not cluster.connection.renew(deadline.left):
                raise
        return opener(cluster.stream_options(deadline.left), deadline.left)
