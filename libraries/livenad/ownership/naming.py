"""What the objects of a suite are called: as the suite says in a namespace of its own, and with a suffix in one that
several suites and runs share.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from livenad.api.kinds import EVENT, MIGRATION, POD, Kind, Object, dig, meta
from livenad.ownership.labels import VM_LABEL

VM_PARAMETERS = ("vm", "peer", "control", "old", "new")
"""What parameters of keywords are called that take the name of a VM."""


class Naming:
    """``suffix`` stands at the end of every name, such as ``-k3x9ab-2`` for a run's second suite; "" adds nothing."""

    def __init__(self, suffix: str = "") -> None:
        self.suffix = suffix
        self._within = re.compile(re.escape(suffix) + r"(?!\d)")

    def real(self, name: str) -> str:
        """The name on the cluster of what the suite calls ``name``; that of a real name is the same."""
        return name if not name or name.endswith(self.suffix) else name + self.suffix

    def owns(self, kind: Kind, item: Object) -> bool:
        """Whether an object of the namespace is this suite's, or was made by the cluster for one that is."""
        if not self.suffix:
            return True
        if kind is POD:
            return str(meta(item, "labels", {}).get(VM_LABEL, "")).endswith(self.suffix)
        if kind is MIGRATION:
            return str(dig(item, "spec", "vmiName", default="")).endswith(self.suffix)
        if kind is EVENT:
            return self._within.search(str(dig(item, "involvedObject", "name", default=""))) is not None
        return str(meta(item, "name")).endswith(self.suffix)

    def arguments(
        self, keyword: Callable[..., Any], args: Sequence[Any], named: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments of a keyword, with the real names of VMs where it takes VMs."""
        parameters = inspect.signature(keyword).parameters.values()
        positional = [entry.name for entry in parameters if entry.kind is entry.POSITIONAL_OR_KEYWORD]
        given = [self._argument(name, value) for name, value in zip(positional, args, strict=False)]
        return given + list(args[len(given) :]), {name: self._argument(name, value) for name, value in named.items()}

    def _argument(self, parameter: str, value: Any) -> Any:
        return self.real(value) if parameter in VM_PARAMETERS and isinstance(value, str) else value
