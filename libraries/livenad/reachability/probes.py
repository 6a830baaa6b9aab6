# SPDX-License-Identifier: Apache-2.0
"""Probes inside guests: one script for each guest samples all its targets in parallel, with a time for each answer.

ICMP is one ``ping`` bound to the NIC's interface. TCP connects to the peer's SSH port and reads the first bytes, as a
network may answer pings and drop other packets. Works with BusyBox or iputils, and with bash or nc.
"""

from __future__ import annotations

import math
import secrets
import shlex
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from livenad.errors import LabError
from livenad.guest.in_parallel import in_parallel
from livenad.guest.shells import CommandLost, CommandTimeout, Deadline, GuestUnreachable, Shell
from livenad.reachability.judge_reachability import ANSWERS_NEEDED
from livenad.reachability.paths import Path
from livenad.reachability.samples import Sample, Series
from livenad.reachability.traffic import Traffic, command

Protocol = Literal["ICMP", "TCP"]

SETTLE = 0.5
"""Seconds for the answers to the last requests of a window."""

PREPARE_TIMEOUT = 20.0
"""Seconds in which every guest must give a shell before a window begins; more where more is given to what follows."""

_REACH_SLICE = 10.0
_SLICE_GRACE = 5.0

# OpenSSH 9.8 and later rejects a client that connects too often without logging in. That counts as an answer, but TCP
# requests are sent less often than ICMP. Each request costs the peer a process. While a peer is probed at a quick pace
# until it answers, few requests are open, so that the probes do not overload a slow guest or peer. In a window the
# pace is slow, and an open request must not delay the next one: too few requests to a silent target prove nothing.
_WINDOW_PAUSE: Mapping[str, float] = {"ICMP": 0.2, "TCP": 0.5, "neighbour": 1.0}
_REACH_PAUSE: Mapping[str, float] = {"ICMP": 0.06, "TCP": 0.12}
# A guest whose processor is emulated, or hardly scheduled, would do nothing else at that pace: it is one that needs
# 40 ms and more to start four small processes, three times in a row.
_SLOW_WINDOW_PAUSE: Mapping[str, float] = {"ICMP": 0.5, "TCP": 1.2}
_SLOW_REACH_PAUSE: Mapping[str, float] = {"ICMP": 0.25, "TCP": 0.6}
_MOST_OPEN: Mapping[str, int] = {"ICMP": 8, "TCP": 2}
_TRAFFIC_PAUSE = {True: 0.06, False: 0.5}
"""Seconds between requests of the other kinds: until they are answered, and in a window."""

_NOT_PERMITTED = "126"
"""What stands for the status of a request that the guest's own system did not let out."""

_FUNCTIONS = r"""# probes of other guests
trap '' HUP
stop=${0%/script}/stop
case $0 in */script) kept=$0 ;; *) kept=/ ;; esac
LC_ALL=C; export LC_ALL
now() { read -r t _ </proc/uptime; c=$((${t%.*} * 100 + 1${t#*.} - 100)); }
have() { command -v "$1" >/dev/null 2>&1; }
device() {
d=$(ip -o addr show 2>/dev/null | while read -r _ n _ a _; do
case $a in "$1"/*) echo "${n%%[@:]*}"; break ;; esac; done)
[ -n "$d" ] && return
for f in /sys/class/net/*/address; do
read -r m <"$f"; [ "$m" = "$2" ] && { d=${f%/address}; d=${d##*/}; return; }
done
}
true >/dev/null || { echo "X /dev/null that its user may write to; give it mode 666"; exit 0; }
have ping || { echo "X ping; use an image that has it"; exit 0; }
slow=1
for n in 1 2 3; do
now; b=$c; sleep 0; sleep 0; sleep 0; sleep 0; now
[ "$((c - b))" -gt 3 ] || { slow=; break; }
done
limit=; have timeout && timeout 3 true 2>/dev/null && limit='timeout 3'
if have bash; then TCP() {
$limit bash -c 'exec 3<>"/dev/tcp/$0/22" && IFS= read -r -t 3 -n 4 b <&3; [ "$b" = SSH- ] || [ "$b" = "Not " ]' "$1"
}
elif have nc; then TCP() {
b=$($limit nc -w 3 "$1" 22 </dev/null | head -c 4); [ "$b" = SSH- ] || [ "$b" = "Not " ]
}
else echo "X bash or nc; use an image that has one"; exit 0; fi
ICMP() {
m=$(ping -c 1 -W 1 ${d:+-I "$d"} "$1" 2>&1) && return; r=$?
case $m in *"ot permitted"* | *"ermission denied"*) return 126 ;; esac
return $r
}
one() { r=0; "$2" "$3" >/dev/null 2>&1 || r=$?; now; echo "S $1 $4 $t $r"; }
stream() {
read -r me _ </proc/self/stat; echo "P $1 $me"
device "$3" "$4"; [ -n "$d" ] || echo "D $1"
id=$1; kind=$2; target=$5; pause=$6; most=$7; [ -z "$slow" ] || pause=$8
set --
while now; [ "$c" -lt "$end" ] && [ ! -e "$stop" ] && [ -e "$kept" ]; do
if [ "$most" != 0 ] && [ $# -ge "$most" ]; then
wait "$1"; shift; now
[ "$c" -lt "$end" ] && [ ! -e "$stop" ] || break
fi
echo "A $id $t" || exit 0
one "$id" "$kind" "$target" "$t" &
[ "$most" = 0 ] || set -- "$@" $!
sleep "$pause" 2>/dev/null || sleep 1
done
}
collect() {
all=
while read -r tag n rest; do
case $tag in
E) break ;;
P) all="$all $rest" ;;
A | D | H | M) echo "$tag $n $rest" ;;
S) echo "S $n $rest"
case $rest in *" 0")
eval "g=\$((g_$n + 1)); w=\$w_$n"; eval "g_$n=\$g"
[ "$g" = "$w" ] && left=$((left - 1)) && [ "$left" = 0 ] && break ;;
esac ;;
esac
done
now; echo "U $t"
[ "$tag" = E ] || kill $all 2>/dev/null
}
"""


@dataclass(frozen=True)
class Probe:
    """One target of one guest by one protocol; ``pause``: seconds between requests, 0 for the default."""

    path: Path
    protocol: Protocol | Traffic
    pause: float = 0.0

    @property
    def guest(self) -> str:
        """The guest that sends the requests."""
        return self.path.source.name

    @property
    def kind(self) -> tuple[str, str]:
        """Who sends, and by which protocol."""
        return self.guest, self.protocol


@dataclass
class ProbeRun:
    """The result of a set of probes: a series each, and ``failures``, the errors of guests without a result.

    ``said`` is the message of a passed check, ``lacks`` what it could not observe, as a guest has no tool for it.
    """

    began: float
    series: dict[Probe, Series] = field(default_factory=dict)
    failures: dict[str, LabError] = field(default_factory=dict)
    said: str = ""
    lacks: list[str] = field(default_factory=list)

    def of(self, paths: Iterable[Path]) -> list[Series]:
        """The series of these paths, ICMP before TCP."""
        wanted = list(paths)
        return [series for probe, series in self.series.items() if probe.path in wanted]


@dataclass(frozen=True)
class Heard:
    """A frame to everybody that came in: probe ``number`` of ``guest``, by the interface with this MAC.

    ``asked`` is the sender's uptime, ``known`` our monotonic clock.
    """

    guest: str
    number: int
    asked: float
    known: float
    mac: str


def both_protocols(paths: Iterable[Path]) -> list[Probe]:
    """An ICMP and a TCP probe for each path."""
    protocols: tuple[Protocol, ...] = ("ICMP", "TCP")
    return [Probe(path, protocol) for path in paths for protocol in protocols]


def sample_until_reached(shells: Mapping[str, Shell], probes: Sequence[Probe], within: float) -> ProbeRun:
    """Samples until every target of a guest has answered often enough, at most ``within`` seconds.

    All guests get a shell first, so that all scripts start at the same time.
    """

    def sample(guest: str) -> None:
        own = [probe for probe in probes if probe.guest == guest]
        for probe, found in zip(own, _sample_slices(shells[guest], own, within), strict=True):
            run.series[probe] = series_of(probe, found)

    run = begin(shells, probes, max(PREPARE_TIMEOUT, within))
    if not run.failures:
        in_parallel(guests_of(probes), sample, run.failures)
    run.series = {probe: run.series[probe] for probe in probes if probe in run.series}
    return run


def begin(shells: Mapping[str, Shell], probes: Sequence[Probe], timeout: float = PREPARE_TIMEOUT) -> ProbeRun:
    """A run that begins when every guest has a shell; ``failures`` has the guests without one."""
    run = ProbeRun(time.monotonic())
    in_parallel(guests_of(probes), lambda guest: shells[guest].prepare(timeout), run.failures)
    run.began = window_began()
    return run


def window_began() -> float:
    """The beginning of a window (monotonic clock), after every guest has a shell."""
    return time.monotonic()


def guests_of(probes: Iterable[Probe]) -> list[str]:
    """The guests that send requests, each once."""
    return list(dict.fromkeys(probe.guest for probe in probes))


def probe_script(
    probes: Sequence[Probe], duration: float, *, until_reached: bool, token: str = "", longest: float = math.inf
) -> str:
    """POSIX sh: prints ``A <number> <asked>`` a request and ``S <number> <asked> <known> <status>`` an outcome.

    Times are seconds of the guest's uptime. A request without an outcome was open when the window ended. ``token``
    marks the frames of one window. ``longest``: seconds between requests that even a slow guest keeps to.
    """
    pauses, slow = (_REACH_PAUSE, _SLOW_REACH_PAUSE) if until_reached else (_WINDOW_PAUSE, _SLOW_WINDOW_PAUSE)
    counters, streams, others = [], [], []
    for number, probe in enumerate(probes):
        needed = ANSWERS_NEEDED[probe.protocol] if until_reached else 0
        counters.append(f"g_{number}=0 w_{number}={needed}")
        pause = probe.pause or pauses.get(probe.protocol, _TRAFFIC_PAUSE[until_reached])
        source, target = str(probe.path.source_address.ip), str(probe.path.target_address.ip)
        mac = probe.path.source_nic.mac.lower()
        if probe.protocol in ("ICMP", "TCP"):
            most = _MOST_OPEN[probe.protocol] if until_reached else 0
            slowly = probe.pause or min(slow[probe.protocol], longest)
            words = (str(number), probe.protocol, source, mac, target, str(pause), str(most), str(slowly))
            streams.append(f"stream {shlex.join(words)} &")
        else:
            if probe.path.source_nic.network is None:
                # Behind a masquerade binding the guest has another address than its pod.
                source = "::" if ":" in source else "0.0.0.0"  # noqa: S104
            others.append((number, probe.protocol, mac, source, target, pause, needed))
    if others:
        order = {
            "probes": others,
            "guest": probes[0].guest,
            "token": token or secrets.token_hex(6),
            "seconds": round(duration, 2),
            "listens": not until_reached,
            "one_by_one": until_reached,
        }
        streams.append(command(order, '"$stop"', '"$kept"', '"$slow"') + " &")
    # What is read at the end only is sent in one piece: where connections break, the next one has a chance.
    at_once = " | tail -n 99999" if until_reached else ""
    return "\n".join(
        (
            _FUNCTIONS,
            f"left={len(probes)}",
            *counters,
            f'now; echo "B $t"; end=$((c + {round(duration * 100)}))',
            "{",
            *streams,
            f"wait; echo T || exit 0; sleep {SETTLE} 2>/dev/null || sleep 1; echo E; }} 2>/dev/null | collect{at_once}",
        )
    )


def parse_samples(text: str, count: int, ended: float, guest: str) -> list[list[Sample]]:
    """The samples of each probe, on our monotonic clock: ``ended`` is when the last line, ``N <uptime>``, arrived.

    LabError when a tool is missing in the guest, or its output is incomplete.
    """
    asked: list[dict[str, Sample]] = [{} for _ in range(count)]
    lines = [line.split() for line in text.splitlines() if line]
    for words in lines:
        if words[0] == "X":
            raise LabError(f"guest {guest} has no {' '.join(words[1:])}")
        if words[0] == "M":
            raise LabError(" ".join(words[1:]))
    if not lines or lines[-1][0] != "N" or len(lines) < 2 or lines[-2][0] != "U":
        raise LabError(f"guest {guest}: its probes did not end as expected; last output: {text[-200:]!r}")
    offset = ended - float(lines[-1][1])
    for words in lines:
        if words[0] == "A" and len(words) == 3:
            asked[int(words[1])].setdefault(words[2], Sample(float(words[2]) + offset, ended, False))
        elif words[0] == "S" and len(words) == 5:
            number, at, known, status = words[1:]
            if status == _NOT_PERMITTED:
                raise LabError(
                    f"guest {guest} may not ping: its user has no permission to; allow it in the image "
                    "(net.ipv4.ping_group_range, or the file capability cap_net_raw)"
                )
            asked[int(number)][at] = Sample(float(at) + offset, float(known) + offset, status == "0")
    return [sorted(samples.values(), key=lambda sample: sample.asked) for samples in asked]


def parse_heard(text: str, ended: float) -> list[Heard]:
    """The frames to everybody that a guest heard; ``ended`` as in `parse_samples`."""
    lines = [line.split() for line in text.splitlines() if line]
    offset = ended - float(lines[-1][1])
    return [
        Heard(words[1], int(words[2]), float(words[3]), float(words[4]) + offset, words[5])
        for words in lines
        if words[0] == "H" and len(words) == 6
    ]


def _sample_now(shell: Shell, probes: list[Probe], within: float) -> list[list[Sample]]:
    script = probe_script(probes, within, until_reached=True) + '\nnow; echo "N $t"'
    answer = shell.run(script, within + SETTLE + _SLICE_GRACE)
    return parse_samples(answer.stdout, len(probes), time.monotonic(), probes[0].guest)


def _sample_slices(shell: Shell, probes: list[Probe], within: float) -> list[list[Sample]]:
    """Samples targets that are not reached yet, in slices: a reboot, migration or hang costs only one slice."""
    deadline = Deadline(within)
    gathered: dict[Probe, list[Sample]] = {probe: [] for probe in probes}
    while True:
        left = [p for p, found in gathered.items() if sum(s.answered for s in found) < ANSWERS_NEEDED[p.protocol]]
        if not left or deadline.passed:
            return list(gathered.values())
        try:
            samples = _sample_now(shell, left, deadline.slice(_REACH_SLICE))
        except (CommandLost, CommandTimeout, GuestUnreachable):
            if deadline.passed:
                raise
            continue
        for probe, found in zip(left, samples, strict=True):
            gathered[probe] += found


def series_of(probe: Probe, samples: list[Sample]) -> Series:
    """The samples of a probe, with source and target."""
    return Series(
        probe.guest, probe.path.target.name, str(probe.path.target_address.ip), probe.protocol, tuple(samples)
    )
