# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..nodeagent.spec_sync import Action, SpecSync

# In the place of each folder that has it, one with links to everything else.
HIDE = """for ping in $(which -a ping); do
d=$(readlink -f "${ping%/*}"); [ -e "$d/ping" ] || continue
mkdir -p "/run/real$d" "/run/fake$d"; mount --bind "$d" "/run/real$d"
ln -s "/run/real$d"/* "/run/fake$d/"; rm "/run/fake$d/ping"; mount --bind "/run/fake$d" "$d"
done"""

_without: set[str] = set()


async def _hide(now: SpecSync) -> None:
    uid = now.vmi["metadata"]["uid"]
    if uid not in _without:
        _without.add(uid)
        await now.dataplane.run_inside(uid, ["sh", "-c", HIDE])


def _from_all(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _hide]


DEFECT = Defect(
    name="guest-has-no-ping",
    sentence="The guests' image has no ping.",
    rows=(),
    point="agent.after_spec_sync",
    change=_from_all,
    fault="lab",
)
