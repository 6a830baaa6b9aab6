"""Keywords: the test namespace and the networks in it."""

from __future__ import annotations

from robot.api.deco import keyword
from testbed.errors import BadInput, LabError
from testbed.objects.kinds import NAD, NAMESPACE, POD, VM, VMI, meta
from testbed.objects.labels import is_dns_subdomain
from testbed.objects.ledger import Entry
from testbed.objects.manifests import bridge_nad, namespace_manifest
from testbed.recording.recorder import Recorder
from testbed.recording.views import FINAL_PHASES, phase_of
from testbed.run import Run

from KubeVirtLibrary.clusters import ClusterKeywords
from KubeVirtLibrary.reporting import heartbeat, step, suite_metadata, warn

_REMOVAL_SECONDS = 120.0
_BRIDGE_LENGTH = 15


class NamespaceKeywords:
    """Everything of a suite lives in a namespace of its own, recorded from its first moment to its last."""

    def __init__(self, clusters: ClusterKeywords) -> None:
        self._clusters = clusters
        self._opened = 0
        self._further = 0

    @keyword(name="Open Test Namespace", tags=["namespace"])
    def open_test_namespace(self) -> str:
        """Creates a namespace for this suite, begins to record everything in it, and returns its name.

        When no cluster is open, as in a suite that runs alone, it is opened and checked first.
        """
        if Run.current_or_none() is None:
            self._clusters.open_cluster()
            self._clusters.cluster_should_be_fit()
        run = Run.current()
        if run.namespace is not None:
            raise LabError(f"namespace {run.namespace} is still open; call `Close Test Namespace` first")
        self._opened += 1
        name = f"{run.settings.namespace_prefix}-{run.run_id}-{self._opened}"
        run.ledger.create(NAMESPACE, namespace_manifest(name, run.run_id))
        run.namespace = name
        run.namespaces.append(name)
        run.ledger.lease.hold(name)
        run.recorder = Recorder(run.cluster, name, heartbeat)
        run.recorder.start()
        suite_metadata("Namespace", name, top=False)
        step(f"Namespace {name} created; its VMs, migrations, launcher pods, NADs and events are recorded")
        return name

    @keyword(name="Close Test Namespace", tags=["namespace", "cleanup"])
    def close_test_namespace(self) -> None:
        """Removes all that this suite created, youngest first, and waits until its VMs have left their networks.

        What cannot be removed is a warning and suite metadata, never a failure. Without an open namespace it does
        nothing.
        """
        run = Run.current_or_none()
        if run is None or run.namespace is None:
            return
        name = run.namespace
        for error in run.call_close_hooks():
            warn(f"Before namespace {name} goes: {error}")
        left = run.ledger.remove(lambda entry: entry.kind is VM and entry.namespace == name)
        left += self._await_vms(run)
        if run.recorder is not None:
            run.recorder.stop()
        run.ledger.lease.release(name)
        left += run.ledger.remove(lambda entry: _belongs(entry, name))
        run.namespace, run.recorder = None, None
        run.vms.clear()
        run.swaps.clear()
        if left:
            warn(f"Left in namespace {name}: {'; '.join(left)}. Remove it with `Delete Leftovers`.")
            suite_metadata("Leftovers", "; ".join(left), top=False)
        step(f"Namespace {name} closed")

    @keyword(name="Create Further Namespace", tags=["namespace"])
    def create_further_namespace(self) -> str:
        """Creates another namespace beside the open test namespace, for NADs, and returns its name.

        It is removed with the test namespace. What happens in it is not recorded.
        """
        run = Run.current()
        self._further += 1
        name = f"{run.require_namespace()}-{self._further}"
        run.ledger.create(NAMESPACE, namespace_manifest(name, run.run_id))
        run.namespaces.append(name)
        step(f"Namespace {name} created")
        return name

    @keyword(name="Create Bridge Network", tags=["network"])
    def create_bridge_network(self, name: str, *, bridge: str, vlan: int, namespace: str = "") -> None:
        """Creates a NAD that connects NICs to one VLAN of a Linux bridge.

        Args:
        | ``name`` | name of the NAD, a DNS name. |
        | ``bridge`` | the bridge, on every node; 15 characters at most. |
        | ``vlan`` | 1 to 4094, 0 for untagged. |
        | ``namespace`` | one of `Create Further Namespace`; empty: the test namespace. |
        """
        run = Run.current()
        namespace = namespace or run.require_namespace()
        require_nad_name(name)
        if not 0 < len(bridge) <= _BRIDGE_LENGTH or set(bridge) & set(" /"):
            raise BadInput(
                f'bridge "{bridge}" of network "{name}": expected a Linux bridge name of 15 characters at most'
            )
        if not 0 <= vlan <= 4094:
            raise BadInput(f'VLAN {vlan} of network "{name}": expected 0 (untagged) to 4094')
        run.ledger.create(NAD, bridge_nad(name, namespace, bridge, vlan))
        step(f"NAD {namespace}/{name}: bridge {bridge}, VLAN {vlan}")

    @staticmethod
    def _await_vms(run: Run) -> list[str]:
        """Wait until no guest of the namespace is on a network any more; a line for each object that stays."""
        recorder = run.recorder
        if recorder is None:
            return []

        def staying() -> list[str]:
            vmis = [f"VMI {meta(item, 'name')}" for item in recorder.history.all(VMI)]
            pods = [
                f"pod {meta(item, 'name')}" for item in recorder.history.all(POD) if phase_of(item) not in FINAL_PHASES
            ]
            return vmis + pods

        title = f"VMs of {recorder.namespace} gone"
        try:
            gone = recorder.wait_for(lambda _: not staying(), _REMOVAL_SECONDS, title, lambda: ", ".join(staying()))
        except LabError as error:
            return [f"cannot see whether the VMs are gone: {error}"]
        return [] if gone else [f"{title} is still there" for title in staying()]


def _belongs(entry: Entry, namespace: str) -> bool:
    """Whether an object is a test namespace, one of its further namespaces, or in one of them."""
    place = entry.name if entry.kind is NAMESPACE else entry.namespace or ""
    return place == namespace or place.startswith(f"{namespace}-")


def require_nad_name(name: str) -> None:
    """Raise BadInput unless ``name`` may be that of a NAD, with or without a namespace before a slash."""
    parts = name.split("/")
    if len(parts) > 2 or not all(is_dns_subdomain(part) for part in parts):
        raise BadInput(
            f'network "{name}" is not the name of a NAD; expected lower-case letters, digits, hyphens and dots '
            '(a DNS name), such as "new-network" or "other-namespace/new-network"'
        )
