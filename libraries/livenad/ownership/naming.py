# SPDX-License-Identifier: Apache-2.0
"""Names of a suite's objects on the cluster: they have a suffix when suites share a namespace."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from livenad.api.kinds import EVENT, MIGRATION, NAD, POD, VM, VMI, Kind, Object, dig, meta, vm_of
from livenad.ownership.labels import RUN_LABEL, VM_LABEL

_LABELLED = (VM, VMI, POD, NAD)
_VM_OF_MIGRATION = "kubevirt.io/vmi-name"
"""Label that KubeVirt's webhook puts on every migration object."""

_LONGEST = 4000
"""Characters of a selector. A longer one might be too much for a proxy before the API server."""


class Naming:
    """``suffix`` is the end of every name, such as ``-k3x9ab-2`` for a run's second suite; "" adds nothing.

    ``run_id`` is the value of the label of the run's objects. An existing VM keeps its name, and belongs to the suite
    after `adopt`.
    """

    def __init__(self, suffix: str = "", run_id: str = "") -> None:
        self.suffix = suffix
        self._run_id = run_id
        self._expected: dict[str, None] = {}
        self._within = re.compile(re.escape(suffix) + r"(?!\d)")
        self.adopted: frozenset[str] = frozenset()

    def adopt(self, vm: str) -> None:
        """Add an existing VM, and the objects that the cluster makes for it, to the suite."""
        self.adopted |= {vm}

    def expect(self, vm: str) -> None:
        """Add the name on the cluster of a VM that is about to be created: its migrations are selected by it."""
        self._expected[vm] = None

    def selector(self, kind: Kind) -> str:
        """The label selector of what `owns` accepts of a kind; "" where no label tells, so that all are listed."""
        if not self.suffix or not self._run_id or self.adopted:
            return ""
        if kind is MIGRATION:
            names = ",".join(self._expected) or self.suffix.lstrip("-")
            return f"{_VM_OF_MIGRATION} in ({names})" if len(names) <= _LONGEST else ""
        return f"{RUN_LABEL}={self._run_id}" if kind in _LABELLED else ""

    def real(self, name: str) -> str:
        """The name on the cluster of the suite's name ``name``; a name on the cluster is returned unchanged."""
        return name if not name or name.endswith(self.suffix) else name + self.suffix

    def owns(self, kind: Kind, item: Object) -> bool:
        """Whether an object of the namespace belongs to this suite, or was made by the cluster for one that does."""
        if not self.suffix or self._is_of_adopted(kind, item):
            return True
        if kind is POD:
            return str(meta(item, "labels", {}).get(VM_LABEL, "")).endswith(self.suffix)
        if kind is MIGRATION:
            return str(dig(item, "spec", "vmiName", default="")).endswith(self.suffix)
        if kind is EVENT:
            return self._within.search(str(dig(item, "involvedObject", "name", default=""))) is not None
        return str(meta(item, "name")).endswith(self.suffix)

    def _is_of_adopted(self, kind: Kind, item: Object) -> bool:
        if kind is not EVENT:
            return vm_of(kind, item) in self.adopted
        about = str(dig(item, "involvedObject", "name", default=""))
        bare = re.sub(r"-[a-z0-9]{5}$", "", about.removeprefix("virt-launcher-"))
        return about in self.adopted or bare in self.adopted


@dataclass(frozen=True)
class SuiteNamespace:
    """The namespace of a suite, and the names of its objects there."""

    name: str
    naming: Naming = field(default_factory=Naming)

    @property
    def scope(self) -> str:
        """A unique name of the suite: its namespace, with the suffix of its names if there is one."""
        return f"{self.name}{self.naming.suffix}"
