# SPDX-License-Identifier: Apache-2.0
"""For defects of failed migrations: the VMIs that had one."""

from __future__ import annotations

from typing import Any

from ...kube.client import Obj
from .phases import Step


class FailedVmis:
    """Remembers them as long as the process lives. A defect adds ``note`` at fault point ``migration.step``."""

    def __init__(self) -> None:
        self._vmis: set[str] = set()

    def note(self, step: Step | None, *, vmi: Obj | None, **_: Any) -> Step | None:
        """Records the VMI of a failed migration; changes no step."""
        if step is not None and step.phase == "Failed" and vmi is not None:
            self._vmis.add(vmi["metadata"]["uid"])
        return step

    def __contains__(self, vmi: Obj) -> bool:
        return vmi["metadata"]["uid"] in self._vmis
