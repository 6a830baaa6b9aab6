"""Keywords: what the cluster is, looked at before anything is created, and each lack with its remedy."""

from __future__ import annotations

from livenad.context import Run
from livenad.errors import LabError
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import step, suite_metadata, table


class PreflightKeywords:
    """All of them read only."""

    @keyword(name="Look At Cluster", tags=["cluster"])
    def look_at_cluster(self) -> None:
        """Looks at everything that the suites go by, and shows it as a table and as metadata of the suite.

        Who we are and what we may do, KubeVirt with its gate and settings, nodes, Multus, NMState, OVN-Kubernetes and
        each capability of `Cluster Should Offer`. What may not be read is unknown; nothing is judged. What was looked
        at is known for the rest of the run.
        """
        from livenad.cluster.inventory import survey  # noqa: PLC0415 - few suites need it

        rows = survey(Run.current())
        lines = [(row.name, row.verdict, row.value, "" if row.there else row.remedy) for row in rows]
        table(("What", "There", "Found", "Remedy"), lines)
        for row in rows:
            suite_metadata(row.name, str(row), top=False)

    @keyword(name="Cluster Should Pass Check", tags=["cluster", "verdict"])
    def cluster_should_pass_check(self, check: str, *more: str) -> None:
        """Fails, as an error of the lab, with each lack that a check of `Cluster Should Be Fit` finds, and its remedy.

        Args:
        | ``check`` | ``kubevirt``, ``multus``, ``nodes`` or ``rights``. |
        | ``more`` | further ones. |
        """
        from livenad.cluster.preflight import require_fit_cluster  # noqa: PLC0415

        for finding in require_fit_cluster(Run.current(), (check, *more)):
            step(f"{finding.name}: {finding.value}")

    @keyword(name="Expected Capabilities Should Be There", tags=["cluster", "verdict"])
    def expected_capabilities_should_be_there(self) -> None:
        """Fails, as an error of the lab, when a capability of variable EXPECTED_CAPABILITIES is missing."""
        from livenad.cluster.capabilities import require_offer  # noqa: PLC0415

        run = Run.current()
        lacks = []
        for name in run.settings.expected_capabilities:
            try:
                step(f"{name}: {require_offer(run, name)}")
            except LabError as error:
                lacks.append(str(error))
        if lacks:
            raise LabError("\n".join(lacks))
        step(f"{len(run.settings.expected_capabilities)} capabilities are expected and there")
