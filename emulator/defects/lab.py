# SPDX-License-Identifier: Apache-2.0
"""Defects of the lab besides its API server: nodes, streams, consoles and guests that are not under test."""

from __future__ import annotations

from collections import Counter
from itertools import count
from typing import Any, NoReturn

from ..dataplane.wiring import Segment
from ..fault_points import Defect
from ..kube.client import Obj
from ..nodeagent import switch_over
from ..nodeagent.domains import Domain
from ..nodeagent.spec_sync import Action, SpecSync
from ..nodeagent.switch_over import SwitchOver


def _nothing(data: bytes | None, *, kind: str, **_: Any) -> bytes | None:
    return b"" if kind == "console" else data


CONSOLES_ARE_DEAD = Defect(
    name="consoles-are-dead",
    sentence="No serial console shows anything; the guests are well.",
    rows=(),
    point="agent.stream_output",
    change=_nothing,
    fault="lab",
)


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


GUEST_CLOCK_IS_WRONG = Defect(
    name="guest-clock-is-wrong",
    sentence="The time of day in the guests is a year behind and jumps back and forth.",
    rows=(),
    point="agent.after_spec_sync",
    change=_everywhere,
    fault="lab",
)


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


GUEST_HAS_NO_PING = Defect(
    name="guest-has-no-ping",
    sentence="The guests' image has no ping.",
    rows=(),
    point="agent.after_spec_sync",
    change=_from_all,
    fault="lab",
)


def _refuse(_nothing: None, **_: Any) -> NoReturn:
    raise ConnectionRefusedError


def _silence(_data: bytes | None, **_: Any) -> bytes:
    return b""


GUESTS_ARE_OUT_OF_REACH = Defect(
    name="guests-are-out-of-reach",
    sentence="Neither console nor port-forward leads to any guest.",
    rows=(),
    point="agent.dial",
    change=_refuse,
    fault="lab",
    also=(("agent.stream_output", _silence),),
)


def _never(_fault: str, **_: Any) -> str:
    return "Back-off pulling image: 401 Unauthorized"


IMAGE_IS_NEVER_PULLED = Defect(
    name="image-is-never-pulled",
    sentence="The nodes cannot pull the image of any launcher pod.",
    rows=(),
    point="agent.image_pull_error",
    change=_never,
    fault="lab",
)


def _deploying(status: Obj, **_: Any) -> Obj:
    return status | {"phase": "Deploying"}


KUBEVIRT_STAYS_DEPLOYING = Defect(
    name="kubevirt-stays-deploying",
    sentence="KubeVirt never gets out of phase Deploying.",
    rows=("R22",),
    point="kubevirt.status",
    change=_deploying,
    fault="lab",
)


def _only_the_first(ready: bool, *, node: str, **_: Any) -> bool:
    return ready and node.endswith("-1")


NODE_IS_NOT_READY = Defect(
    name="node-is-not-ready",
    sentence="All nodes but the first one are NotReady.",
    rows=(),
    point="agent.node_ready",
    change=_only_the_first,
    fault="lab",
)


async def _kill_peers(now: SwitchOver) -> None:
    left = {before for before, _after in now.changed.values()}
    for peer in list(now.domains.by_uid.values()):
        if peer is not now.domain and _main_network(peer, now) in left:
            peer.panicked = True
            await now.dataplane.kill_inside(peer.uid)


def _main_network(domain: Domain, now: SwitchOver) -> Segment | None:
    """The network of the guest's first NIC that is not its pod network."""
    sandbox = now.sandboxes.get(domain.pod_uid)
    segments = sandbox.segments if sandbox else {}
    return next((segments[nic.pod_interface] for nic in domain.nics.values() if nic.pod_interface in segments), None)


def _with_dead_peers(actions: list[switch_over.Action], **_: Any) -> list[switch_over.Action]:
    return [*actions, _kill_peers]


PEER_GUEST_DIES = Defect(
    name="peer-guest-dies",
    sentence="While a guest is moved to another network, the guests that have their main NIC on the previous one die: "
    "silence there proves nothing.",
    rows=(),
    point="agent.after_switch_over",
    change=_with_dead_peers,
    fault="lab",
)


SSH_IS_REFUSED = Defect(
    name="ssh-is-refused",
    sentence="Port-forwards to guests are refused, as without an SSH server in them.",
    rows=(),
    point="agent.dial",
    change=_refuse,
    fault="lab",
)


_NTH = 40


_numbers = count(1)


def _cut(data: bytes | None, **_: Any) -> bytes | None:
    return None if next(_numbers) % _NTH == 0 else data


STREAMS_ARE_CUT = Defect(
    name="streams-are-cut",
    sentence="Now and then a stream to a guest ends in the middle of what the guest says.",
    rows=(),
    point="agent.stream_output",
    change=_cut,
    fault="lab",
)


STEPS = (0, 1, 60, 1600, 2400, 2900, 3300)
"""Bytes until the silence: not opened; opened; within banner, key exchange, login, channel and output of SSH."""


_streams: Counter[tuple[str, str]] = Counter()


_silent: Counter[str] = Counter()


def _streams_fall_silent(answers: int | None, *, kind: str, vmi: str, **_: Any) -> int | None:
    """Every other stream of each kind to a guest is whole."""
    _streams[kind, vmi] += 1
    if _streams[kind, vmi] % 2 == 0:
        return answers
    _silent[kind] += 1
    return STEPS[(_silent[kind] - 1) % len(STEPS)]


STREAMS_FALL_SILENT = Defect(
    name="streams-fall-silent",
    sentence="Every other stream to a guest falls silent for good, each at another of its steps, and stays open.",
    rows=(),
    point="virt_api.stream",
    change=_streams_fall_silent,
    fault="lab",
)
