"""The run: what every keyword of both libraries shares, from `Open Cluster` to `Close Cluster`."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from livenad.errors import BadInput, LabError
from livenad.model import VmRecord
from livenad.ownership.naming import Naming

if TYPE_CHECKING:
    from livenad.api.client import Cluster
    from livenad.api.recorder import Recorder
    from livenad.cluster.environment import Measured
    from livenad.cluster.facts import ClusterFacts
    from livenad.cluster.preflight import Finding
    from livenad.network_change.completion import NetworkSwap
    from livenad.ownership.created_resources import Ledger
    from livenad.settings import Settings

CloseHook = Callable[[], None]


def new_run_id() -> str:
    """Six letters and digits, a letter first, fit for names, labels and MAC derivation."""
    alphabet = string.ascii_lowercase + string.digits
    return secrets.choice(string.ascii_lowercase) + "".join(secrets.choice(alphabet) for _ in range(5))


class Run:
    """The current run of this process; `Open Cluster` makes it, `Close Cluster` ends it.

    ``namespace`` and ``recorder`` are those of the open test namespace, else None; ``naming`` says what objects are
    called in it; ``namespaces`` lists those that the run made. ``vms`` and ``swaps`` are keyed by the VM's name and
    cleared when the namespace closes; after an edit of several NICs, ``swaps`` has each of them by ``vm/nic`` as well.
    ``offers`` has what was measured of each capability, ``findings`` what each check of the preflight found.
    """

    _current: ClassVar[Run | None] = None

    def __init__(self, settings: Settings, cluster: Cluster, ledger: Ledger, run_id: str) -> None:
        self.run_id = run_id
        self.settings = settings
        self.cluster = cluster
        self.ledger = ledger
        self.facts: ClusterFacts | None = None
        self.offers: dict[str, Measured] = {}
        self.findings: dict[str, Finding] = {}
        self.namespace: str | None = None
        self.namespaces: list[str] = []
        self.naming = Naming()
        self.recorder: Recorder | None = None
        self.vms: dict[str, VmRecord] = {}
        self.swaps: dict[str, NetworkSwap] = {}
        self._hooks: list[CloseHook] = []

    @classmethod
    def current(cls) -> Run:
        """The run of this process. Raises LabError when no cluster is open."""
        if cls._current is None:
            raise LabError("no cluster is open; call `Open Cluster` first (suites/__init__.robot does)")
        return cls._current

    @classmethod
    def current_or_none(cls) -> Run | None:
        """The run of this process, or None before `Open Cluster` and after `Close Cluster`."""
        return cls._current

    def make_current(self) -> None:
        """Let every keyword of this process use this run."""
        Run._current = self

    def forget(self) -> None:
        """No run is current any more."""
        if Run._current is self:
            Run._current = None

    def before_namespace_closes(self, hook: CloseHook) -> None:
        """Call ``hook`` once before the open namespace goes, last registered first: shells and probes end here."""
        self._hooks.append(hook)

    def call_close_hooks(self) -> list[Exception]:
        """Run and forget the hooks; one that raises does not keep the others from running. Gives what they raised."""
        raised: list[Exception] = []
        while self._hooks:
            try:
                self._hooks.pop()()
            except Exception as error:  # a broken hook must not keep the namespace from being removed
                raised.append(error)
        return raised

    def require_facts(self) -> ClusterFacts:
        """What the cluster is. Raises LabError when it was not looked at."""
        if self.facts is None:
            raise LabError("the open cluster was not looked at; call `Open Cluster`")
        return self.facts

    @property
    def scope(self) -> str:
        """What tells the open suite from every other: its namespace, with the suffix of its names where it has one."""
        return f"{self.require_namespace()}{self.naming.suffix}"

    def require_namespace(self) -> str:
        """Name of the open test namespace. Raises LabError when none is open."""
        if self.namespace is None:
            raise LabError("no test namespace is open; call `Open Test Namespace` first")
        return self.namespace

    def require_recorder(self) -> Recorder:
        """Recorder of the open test namespace. Raises LabError when none is open."""
        if self.recorder is None:
            raise LabError("no test namespace is open, so nothing is recorded; call `Open Test Namespace` first")
        return self.recorder

    def vm(self, name: str) -> VmRecord:
        """A VM that this run defined. Raises BadInput that lists the VMs there are."""
        if name not in self.vms:
            known = ", ".join(self.vms) or "none"
            raise BadInput(f'VM "{name}" is not defined in this run; defined: {known}; see `Define VM`')
        return self.vms[name]


def own_names(
    keyword: Callable[..., Any], args: list[Any], named: dict[str, Any] | None
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a keyword with the names that the VMs of the open suite have on the cluster."""
    run = Run.current_or_none()
    return (run.naming if run is not None else Naming()).arguments(keyword, args, named or {})
