# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from ..fault_points import Defect
from ..nodeagent.spec_sync import Action, SpecSync

# A year behind, and at every second look a minute back. In the place of each folder that has date, one with links to
# everything else and a date that lies.
LIE = """for date in $(which -a date); do
d=$(readlink -f "${date%/*}"); [ -e "$d/date" ] && [ ! -e "/run/clock-real$d" ] || continue
mkdir -p "/run/clock-real$d" "/run/clock-fake$d"; mount --bind "$d" "/run/clock-real$d"
ln -s "/run/clock-real$d"/* "/run/clock-fake$d/"; rm "/run/clock-fake$d/date"
printf '%s\\n' '#!/bin/sh' "real=/run/clock-real$d/date" 'behind=31536000' \
'if [ -e /run/clock-back ]; then rm -f /run/clock-back; behind=31536060; else : >/run/clock-back; fi' \
'exec "$real" -d "@$(($("$real" +%s) - behind))" "$@"' >"/run/clock-fake$d/date"
chmod 755 "/run/clock-fake$d/date"; mount --bind "/run/clock-fake$d" "$d"
done"""

_wrong: set[str] = set()


async def _lie(now: SpecSync) -> None:
    uid = now.vmi["metadata"]["uid"]
    if uid not in _wrong:
        _wrong.add(uid)
        await now.dataplane.run_inside(uid, ["sh", "-c", LIE])


def _everywhere(actions: list[Action], **_: Any) -> list[Action]:
    return [*actions, _lie]


DEFECT = Defect(
    name="guest-clock-is-wrong",
    sentence="The time of day in the guests is a year behind and jumps back and forth.",
    rows=(),
    point="agent.after_spec_sync",
    change=_everywhere,
    fault="lab",
)
