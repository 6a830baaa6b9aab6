"""What a wrong reaction to a failed migration goes by: the VMIs of which one has failed."""

from __future__ import annotations

from typing import Any

from ...kube.client import Obj
from .phases import Step


class FailedVmis:
    """Remembers them for as long as the process lives. For defects, which add ``note`` at ``migration.step``."""

    def __init__(self) -> None:
        self._vmis: set[str] = set()

    def note(self, step: Step | None, *, vmi: Obj | None, **_: Any) -> Step | None:
        """Sees each step of a migration, and changes none."""
        if step is not None and step.phase == "Failed" and vmi is not None:
            self._vmis.add(vmi["metadata"]["uid"])
        return step

    def __contains__(self, vmi: Obj) -> bool:
        return vmi["metadata"]["uid"] in self._vmis
