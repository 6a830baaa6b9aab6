# SPDX-License-Identifier: Apache-2.0
"""What all keywords of both libraries share: the session, the error mapping, and what each keyword repeats."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar

from livenad.api.history import History
from livenad.api.kinds import NAD, VMI
from livenad.api.status import is_true, node_of
from livenad.changes import Change
from livenad.context import Run, Session, SuiteContext
from livenad.dns_names import is_dns_subdomain
from livenad.errors import CapabilityMissing, LabError, NotReached, ProductFault, TestError
from livenad.model import VmRecord
from livenad.observation import first_seen
from livenad.secret_text import cleanse
from robot.api import SkipExecution
from robotlibcore import DynamicCore

from KubeVirtLibrary.log import step
from KubeVirtLibrary.opening import open_cluster
from KubeVirtLibrary.types import CONVERTERS

__version__ = "0.1.0"

SESSION = Session()
"""The session of this process."""


class KeywordComponent:
    """The keywords of one topic."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def run(self) -> Run:
        """The run on the open cluster; the cluster is opened when none is open."""
        return self.session.run or open_cluster(self.session)

    @property
    def suite(self) -> SuiteContext:
        """The context of the open test namespace. TestError when none is open."""
        return self.run.require_suite()

    @property
    def history(self) -> History:
        """What was recorded in the open test namespace."""
        return self.suite.recorder.history

    def vm(self, name: str) -> VmRecord:
        """A VM that this suite defined. TestError that lists the VMs there are."""
        return self.suite.vms[name]

    def network(self, name: str, *, must_exist: bool = True) -> str:
        """Name of a network's NAD, as VMs name it. TestError that lists the networks of the suite."""
        require_nad_name(name)
        run, suite = self.run, self.suite
        real = run.networks.real_name(name)
        if suite.namespace.naming.suffix and self._exists_beforehand(name, real):
            return name
        if must_exist and not self._nad_exists(name, real):
            listed = ", ".join(f'"{known}"' for known in run.networks.made_here()) or "none"
            title = real if "/" in real else f"{suite.namespace.name}/{real}"
            raise TestError(
                f'network "{name}" does not exist: there is no NAD {title}; networks of this suite: {listed}'
            )
        return real

    def judged_since(self, vm: str) -> Change:
        """What verdicts on *never* count from: a change of the VM, or the moment when it was first seen running.

        LabError for a VM that was neither changed nor seen running.
        """
        suite, record = self.suite, self.vm(vm)
        if suite.changes.has(record.name):
            return suite.changes.first_since_start(record.name)
        if record not in suite.vms.started:
            raise TestError(f"{record.subject} is not started; call `Start VMs` first")
        suite.recorder.catch_up(unless_fresh=True)
        return first_seen(self.history, record)

    def require_takeover(self, record: VmRecord) -> None:
        """Raise LabError for a migratable VM on a node whose VMs no other node takes over."""
        nodes, vmi = self.run.facts.nodes, self.history.current(VMI, record.name) or {}
        if nodes is None or not is_true(vmi, "LiveMigratable"):
            return
        if why := nodes.stranded(node_of(vmi)):
            raise LabError(
                f"{record.subject} is on node {node_of(vmi)}, and no other node takes it over: {why}; keep it on nodes "
                "that do by nodeSelector or affinity of its template, or give all VMs a common CPU model in KubeVirt's "
                "spec.configuration.cpuModel"
            )

    def judge(self, verdict: Callable[..., str], *arguments: Any, since: Change | None = None) -> None:
        """Read the cluster, so that a broken watch is no fault of the product; then judge and log.

        Before a fault is told, the cluster is listed again. A migration with a cause outside the run since a change is
        no fault either: that change is ``since``, or else the first of the arguments.
        """
        step(self.verdict(verdict, *arguments, since=since))

    def verdict(self, verdict: Callable[..., str], *arguments: Any, since: Change | None = None) -> str:
        """What `judge` logs."""
        recorder = self.suite.recorder
        begin = since or next((one for one in arguments if isinstance(one, Change)), None)
        log, history = self.suite.verdicts, self.history
        recorder.catch_up(unless_fresh=True)
        try:
            with log.judging(verdict, arguments, begin) as judging:
                judging.said = verdict(history, *arguments)
        except ProductFault:
            recorder.catch_up()
            log.forget_last()
            with log.judging(verdict, arguments, begin) as judging:
                judging.said = verdict(history, *arguments)
        return judging.said

    def _exists_beforehand(self, name: str, real: str) -> bool:
        """Whether a name is that of a NAD which was in the namespace of variable NAMESPACE before the suite."""
        home = self.suite.namespace.name
        place, _, short = name.rpartition("/")
        if name == real or place not in ("", home) or short in self.run.networks.made_here():
            return False
        try:
            return self.run.cluster.find(NAD, short, home) is not None
        except LabError:
            return False  # it may not be read: the cluster will tell

    def _nad_exists(self, name: str, real: str) -> bool:
        home = self.suite.namespace.name
        if name.removeprefix(f"{home}/") in self.run.networks.made_here():
            return True
        namespace, _, short = real.rpartition("/")
        if not namespace and self.history.current(NAD, short) is not None:
            return True
        try:
            return self.run.cluster.find(NAD, short, namespace or home) is not None
        except LabError:
            return True  # it may not be read: the cluster will tell


class LibraryBase(DynamicCore):
    """Facade of a keyword library."""

    ROBOT_LIBRARY_SCOPE = "GLOBAL"
    ROBOT_LIBRARY_VERSION = __version__
    ROBOT_LIBRARY_DOC_FORMAT = "ROBOT"
    ROBOT_LIBRARY_CONVERTERS: ClassVar[dict[type, Callable[[str], object]]] = CONVERTERS

    def __init__(self, *components: type[KeywordComponent]) -> None:
        super().__init__([component(SESSION) for component in components])
        _quiet_foreign_loggers()

    def get_keyword_documentation(self, name: str) -> str:
        """Documentation of a keyword, or of the library with its table of keywords by topic."""
        text = str(super().get_keyword_documentation(name))
        return text.replace("%TOPICS%", self._topics()) if name == "__intro__" else text

    def _topics(self) -> str:
        """Table of the keywords by topic, in the order of the components and of their files."""
        rows: dict[str, dict[str, list[str]]] = {}
        methods = sorted(self.keywords.items(), key=lambda item: item[1].__func__.__code__.co_firstlineno)
        for component in dict.fromkeys(type(method.__self__) for method in self.keywords.values()):
            for name, method in methods:
                if type(method.__self__) is component:
                    topic, kind = method.robot_tags
                    rows.setdefault(topic, {"core": [], "scenario": []})[kind].append(f"`{name}`")
        lines = ["| =Topic= | =Core keywords= | =Scenario keywords= |"]
        lines += [f"| {topic} | {', '.join(of['core'])} | {', '.join(of['scenario'])} |" for topic, of in rows.items()]
        return "\n".join(lines)

    def run_keyword(self, name: str, args: list[Any], kwargs: dict[str, Any] | None = None) -> Any:
        """Run a keyword; a capability that is missing becomes a skip, and no exception tells a credential."""
        try:
            return super().run_keyword(name, args, kwargs)
        except CapabilityMissing as missing:
            raise SkipExecution(str(missing)) from missing
        except ProductFault as fault:
            if why := _cause_in_the_lab(fault, name, kwargs or {}):
                raise LabError(f"it cannot be judged, as {why}. What was seen: {fault}") from None
            raise
        except Exception as error:
            told = cleanse(error)
            if told is error:
                raise
            raise told from None


_OF_A_COMPLETE_CHANGE = frozenset(
    (
        "VM Should Have Been Migrated",
        "Metrics Should Show New Network",
        "Metrics Should Not Show Old Network",
        "Guests Should Reach Each Other",
        "Guests Should Be Silent To Each Other",
        "Guest NIC Should Be",
        "Nothing Else Should Have Changed",
        "Packet Loss Should Be Below",
        "Stop Outage Monitoring",
        "Outage Should Be Below",
    )
)
"""Keywords that judge what only a complete change can bring, besides those that raise NotReached."""


def _cause_in_the_lab(fault: ProductFault, keyword: str, named: dict[str, Any]) -> str:
    """What of the lab may have brought a fault about, "" for nothing: settings that were reverted, or an obstacle."""
    from livenad.network_change.obstacles import obstacle  # noqa: PLC0415 - only a fault needs it

    run = SESSION.run
    if run is None:
        return ""
    if reverted := run.cluster_settings.reverted():
        return (
            f"another client has changed a setting of the cluster meanwhile: {reverted}; an operator or a GitOps tool "
            "may own it"
        )
    lacks = isinstance(fault, NotReached) or (keyword in _OF_A_COMPLETE_CHANGE and named.get("times") != 0)
    if run.suite is None or not lacks:
        return ""
    last = {change.vm: change for change in run.suite.changes}
    found = (obstacle(run.suite.recorder.history, change) for vm, change in last.items() if vm in str(fault))
    return next(filter(None, found), "")


def require_nad_name(name: str) -> None:
    """Raise TestError unless ``name`` may be that of a NAD, with or without a namespace before a slash."""
    parts = name.split("/")
    if len(parts) > 2 or not all(is_dns_subdomain(part) for part in parts):
        raise TestError(
            f'network "{name}" is not the name of a NAD; expected lower-case letters, digits, hyphens and dots '
            '(a DNS name), such as "new-network" or "other-namespace/new-network"'
        )


def _quiet_foreign_loggers() -> None:
    """Keep other libraries' messages, which may hold tokens, out of the log."""
    for name in ("kubernetes", "urllib3", "websocket"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # What it calls an error, such as a refused channel, is reported by the caller.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
