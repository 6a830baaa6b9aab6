# SPDX-License-Identifier: Apache-2.0
"""Keywords: the test namespace."""

from __future__ import annotations

from livenad.api.kinds import NAMESPACE
from livenad.changes import ChangeLog
from livenad.context import SuiteContext
from livenad.errors import TestError
from livenad.ownership.naming import Naming, SuiteNamespace
from livenad.recorded_checks import RecordedChecks
from livenad.settling import require_waits_met
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import heartbeat, step, suite_metadata, suite_name, suite_status, warn
from KubeVirtLibrary.opening import close_suite, restore_settings_of_aborted_runs


class NamespaceKeywords(KeywordComponent):
    """Everything of a suite lives in a namespace of its own, recorded from its first moment to its last."""

    @keyword(name="Open Test Namespace", tags=["namespaces", "core"])
    def open_test_namespace(self, *, exclusive: bool = False) -> str:
        """Creates a namespace for this suite, starts to record its objects, and returns its name.

        The cluster is checked first, as by `Cluster Should Be Fit`. At the end of the suite the namespace is closed, if
        `Close Test Namespace` has not closed it before.

        If variable NAMESPACE names a namespace, the suite uses that one. It may hold objects of others: they are
        neither recorded nor changed. Objects of the suite get a suffix to their names on the cluster.

        Suites of several runs can share a cluster. An exclusive suite waits until the other suites have ended. Suites
        that start later wait for it.

        Args:
        | ``exclusive`` | yes for a suite that changes settings of the whole cluster: no other suite runs in parallel. |

        Example:
        | ${namespace}    Open Test Namespace
        | Log    This suite runs in ${namespace}.
        """
        from livenad.api.recorder import Recorder  # noqa: PLC0415 - slow to import, and a dry run does without
        from livenad.guest.guests import Guests  # noqa: PLC0415
        from livenad.virtual_machines.manifests import namespace_manifest  # noqa: PLC0415
        from livenad.virtual_machines.registry import VirtualMachines  # noqa: PLC0415

        run = self.run
        if run.suite is not None:
            raise TestError(f"namespace {run.suite.namespace.name} is still open; call `Close Test Namespace` first")
        run.preflight.require_fit()
        run.networks.begin_suite(exclusive=exclusive)
        # A run may have been aborted since the cluster was opened, perhaps the one that this suite waited for.
        restore_settings_of_aborted_runs(run)
        run.suites_opened += 1
        if run.settings.namespace:
            namespace = SuiteNamespace(run.settings.namespace, Naming(f"-{run.run_id}-{run.suites_opened}", run.run_id))
        else:
            name = f"{run.settings.namespace_prefix}-{run.run_id}-{run.suites_opened}"
            namespace = SuiteNamespace(name)
            run.created.create(NAMESPACE, namespace_manifest(name, run.run_id))
            run.namespaces.append(name)
        suffix = namespace.naming.suffix
        run.networks.enter(namespace)
        run.created.lease.hold(namespace.name, suffix)
        recorder = Recorder(run.cluster, namespace.name, heartbeat, naming=namespace.naming)
        vms = VirtualMachines(namespace, run.run_id, run.settings.guest_user)
        guests = Guests(run.cluster, recorder, vms.__getitem__, warn)
        run.suite = SuiteContext(namespace, suite_name(), recorder, vms, ChangeLog(), RecordedChecks(), guests)
        recorder.start()
        suite_metadata("Namespace", namespace.name, top=False)
        whose = f"used, with {suffix} at the end of each name" if suffix else "created"
        step(
            f"Namespace {namespace.name} {whose}; VMs, migrations, launcher pods, NADs and events of this suite are "
            "recorded"
        )
        return namespace.name

    @keyword(name="Close Test Namespace", tags=["namespaces", "core"])
    def close_test_namespace(self) -> None:
        """Starts to remove everything that this suite created, VMs first. Does not wait until it is gone.

        Sessions in guests are closed, and cluster settings are restored. For each network change the log gets a chart
        of which guests reached each other; file ``connectivity-<namespace>-<vm>.json`` beside the log has its data.

        The VLANs stay reserved until the guests are gone, so that no other suite uses them before. A resource that
        cannot be removed causes a warning and suite metadata, never a failure. Without an open namespace the keyword
        does nothing.

        Some keywords wait and pass even if the wait was too short, because a test judges the result later: `Wait Until
        Change Has Settled`, `Wait For VM Event`, `Configure Guest NIC` and `Stop Outage Monitoring`. If such a wait was
        too short, and yet no test has failed, this keyword fails: the suite has proven nothing.

        Example:
        | Close Test Namespace
        """
        run = self.session.run
        if run is None:
            return
        try:
            if run.suite is not None and suite_status() not in ("FAIL", "SKIP"):
                require_waits_met(self.history, run.suite.changes.unmet)
        finally:
            close_suite(run)

    @keyword(name="Create Additional Namespace", tags=["namespaces", "core"])
    def create_additional_namespace(self) -> str:
        """Creates another namespace beside the open test namespace, for NADs, and returns its name.

        It is removed with the test namespace. Events in it are not recorded.

        Example:
        | ${namespace}    Create Additional Namespace
        | Create Network    remote-network    on=bridge    namespace=${namespace}
        """
        from livenad.virtual_machines.manifests import namespace_manifest  # noqa: PLC0415

        run, suite = self.run, self.suite
        if run.settings.namespace:
            run.capabilities.require("foreign-nad")
        suite.additional_namespaces += 1
        name = f"{suite.namespace.name}-{suite.additional_namespaces}"
        run.created.create(NAMESPACE, namespace_manifest(name, run.run_id))
        run.namespaces.append(name)
        step(f"Namespace {name} created")
        return name
