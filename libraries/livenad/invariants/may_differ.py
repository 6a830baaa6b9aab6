# SPDX-License-Identifier: Apache-2.0
"""What it means that a value may differ: one field, the allowed transition, the reason, and who has seen it.

No entry stands for a subtree. A placeholder stands for one name in a path: ``{moved NIC}`` a NIC whose network is
edited, ``{pod NIC}`` a NIC on the pod network, ``{moved interface}`` and ``{pod interface}`` their interfaces in the
launcher pod, ``{any interface}`` one of these or another NIC's, ``{pod}`` the UID of a launcher pod, ``{number}`` any.

The entries are in ``allowed_fields``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from livenad.invariants.flow import Flow
from livenad.invariants.transitions import FOLLOWING, TRANSITIONS, Step

_PLACEHOLDER = re.compile(r"\\\{([a-zA-Z\\ ]+)\\\}")


@dataclass(frozen=True)
class MayDiffer:
    """One field that may differ from before the act. ``seen`` names a recorded flow in which it does.

    ``transition`` is one of `TRANSITIONS`, or "one of" with ``values``. ``for_good`` tells whether the newest state may
    still differ; otherwise only states in between may, and the field comes back.
    """

    kind: str
    path: str
    transition: str
    reason: str
    seen: str
    for_good: bool = True
    values: tuple[object, ...] = ()

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path, with a group for each placeholder."""
        escaped = re.escape(self.path)
        groups = _PLACEHOLDER.sub(lambda m: f"(?P<{_group(m.group(1))}>[^\\[\\]]+?)", escaped)
        return re.compile(groups)

    def names(self, path: str, flow: Flow) -> Mapping[str, str] | None:
        """What the placeholders stand for in a path; None if the path is not this field's."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        names = {key.replace("_", " "): value for key, value in found.groupdict().items()}
        return names if all(_is(key, value, flow) for key, value in names.items()) else None

    @property
    def must_follow(self) -> bool:
        """Whether the newest state must be as the transition says, even if it is as before the act."""
        return self.for_good and self.transition in FOLLOWING

    def allows(self, step: Step) -> bool:
        """Whether a value may be what it is in a state."""
        if step.last and not self.for_good:
            return False
        if self.transition == "one of":
            return step.now in self.values or step.begins
        allowed, _ = TRANSITIONS[self.transition]
        return allowed(step)

    @property
    def words(self) -> str:
        """What it may do, for a message."""
        if self.transition == "one of":
            done = f"be {' or '.join(map(str, self.values))}"
        else:
            done = TRANSITIONS[self.transition][1]
        return done if self.for_good else f"{done} in between, and must be as before in the end"


def _group(name: str) -> str:
    return name.replace("\\", "").replace(" ", "_")


def _is(placeholder: str, value: str, flow: Flow) -> bool:
    return (
        value
        in {
            "moved NIC": flow.networks,
            "pod NIC": flow.pod_nics,
            "moved interface": [flow.interfaces[nic] for nic in flow.networks if nic in flow.interfaces],
            "any interface": [*flow.interfaces.values(), "eth0"],
            "pod interface": [flow.interfaces[nic] for nic in flow.pod_nics] or ["eth0"],
            "pod": [str(pod["metadata"]["uid"]) for pod in flow.pods.values()],
            "number": [value] if value.isdigit() else [],
        }[placeholder]
    )


@dataclass(frozen=True)
class ExpectedWarning:
    """A warning event about an object that succeeds in the end; ``seen`` as in `MayDiffer`."""

    kind: str
    reason: str
    why: str
    seen: str
