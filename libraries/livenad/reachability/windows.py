# SPDX-License-Identifier: Apache-2.0
"""Windows: probes that run inside guests for a given time while the test does something else.

A window continues when the connection to a guest breaks, as during a migration. All its commands may be repeated: the
directory is created once, and reading changes nothing.
"""

from __future__ import annotations

import secrets
import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from livenad.guest.in_parallel import in_parallel
from livenad.guest.shells import Deadline, Shell
from livenad.reachability.links import LinkState
from livenad.reachability.paths import Path
from livenad.reachability.probes import (
    SETTLE,
    Heard,
    Probe,
    ProbeRun,
    begin,
    guests_of,
    parse_heard,
    parse_samples,
    probe_script,
    series_of,
    window_began,
)
from livenad.reachability.samples import Sample, longest_pause

OVERTIME = 20.0
"""Seconds for which the probes run on after the end of the window if they are not stopped."""

FETCH_TIMEOUT = 40.0
"""Seconds beyond the end of a window in which every guest must return its samples."""

_SAME = 0.001
"""Seconds: times of a guest are whole hundredths."""

_START = r"""# start of probes
for d in "${TMPDIR:-/tmp}" /dev/shm /var/tmp; do
d=$d/%(token)s
[ -d "$d" ] && exit 0
mkdir "$d" 2>/dev/null && printf %%s %(script)s >"$d/script" && [ -s "$d/script" ] || continue
{ sh "$d/script" >"$d/part" 2>/dev/null; mv "$d/part" "$d/all"; } </dev/null >/dev/null 2>&1 &
n=0; w=0.02
until grep -q '^A %(last)s ' "$d/part" 2>/dev/null || [ -e "$d/all" ] || [ "$n" -ge 50 ]; do
n=$((n + 1)); [ "$n" -lt 20 ] || w=0.2; sleep "$w" 2>/dev/null || { sleep 1; n=$((n + 6)); }
done
exit 0
done
echo "no directory can be written to (disk full?)"; exit 1
"""
_STOP = r"""# early end of probes
for d in "${TMPDIR:-/tmp}" /dev/shm /var/tmp; do
[ -d "$d/%(token)s" ] && : >"$d/%(token)s/stop"
done
exit 0
"""
_FETCH = r"""# result of probes
for d in "${TMPDIR:-/tmp}" /dev/shm /var/tmp; do
d=$d/%(token)s
[ -d "$d" ] || continue
until [ -e "$d/all" ]; do sleep 0.05 2>/dev/null || sleep 1; done
cat "$d/all"; read -r t _ </proc/uptime; echo "N $t"
exit 0
done
echo "X result of its probes any more: did it reboot?"
"""
_END = r"""# result of probes that go on
for d in "${TMPDIR:-/tmp}" /dev/shm /var/tmp; do
d=$d/%(token)s
[ -d "$d" ] || continue
: >"$d/stop"
if cat "$d/all" 2>/dev/null; then read -r t _ </proc/uptime
else cat "$d/part" 2>/dev/null || cat "$d/all"; read -r t _ </proc/uptime; echo "U $t"; fi
echo "N $t"
exit 0
done
echo "X result of its probes any more: did it reboot?"
"""
_REMOVE = r"""# end of probes
rm -rf "${TMPDIR:-/tmp}/%(token)s" /dev/shm/%(token)s /var/tmp/%(token)s
"""


class Window:
    """Probes that sample for ``duration`` seconds from `start` on, in all guests at once.

    It begins when the last guest has sent a request, and no guest ends before it: a slow guest delays it but does not
    shorten it. The shells are free meanwhile. A guest in which no command can be run is among the failures of the run
    that `finish` returns.
    """

    def __init__(self, shells: Mapping[str, Shell], probes: Sequence[Probe], duration: float) -> None:
        self.duration = duration
        self._shells = shells
        self._probes = list(probes)
        self._words: dict[str, dict[str, str]] = {}
        self._run = ProbeRun(time.monotonic())
        self._stopped = False
        self._token = secrets.token_hex(6)
        self._heard: dict[str, list[Heard]] = {}
        self._offsets: dict[str, float] = {}

    @property
    def began(self) -> float:
        """When it began (monotonic clock)."""
        return self._run.began

    def start(self) -> Window:
        """Begin, when every guest has a shell and sends requests."""
        self._run = begin(self._shells, self._probes)
        if not self._run.failures:
            in_parallel(guests_of(self._probes), self._start, self._run.failures)
        self._run.began = window_began()
        return self

    def stop(self) -> None:
        """Stop the requests of the guests; `finish` then returns soon."""
        self._stopped = True
        if not self._run.failures:
            in_parallel(guests_of(self._probes), lambda guest: self._run_in(guest, _STOP), self._run.failures)

    def wait(self) -> None:
        """Wait for the end of the window; return at once after a failure or `stop`."""
        if not self._run.failures and not self._stopped:
            threading.Event().wait(max(0.0, self._run.began + self.duration - time.monotonic()))

    def finish(self) -> ProbeRun:
        """Wait for the end of the window and return its run.

        Requests without an answer at the end of the window count as not answered, unless the window was stopped: then
        their answers are awaited.
        """
        command = _FETCH if self._stopped else _END
        self.wait()
        if not self._run.failures:
            in_parallel(guests_of(self._probes), lambda guest: self._fetch(guest, command), self._run.failures)
        series = self._run.series
        for guest, frames in self._heard.items():
            for frame in frames:
                self._note(guest, frame)
        self._run.series = {probe: series[probe] for probe in self._probes if probe in series}
        return self._run

    def _note(self, guest: str, frame: Heard) -> None:
        """A frame to everybody is answered when it came in at the NIC that it was to reach."""
        own = self._own(frame.guest)
        probe = own[frame.number] if frame.number < len(own) else None
        if probe is None or probe not in self._run.series or probe.path.target.name != guest:
            return
        if probe.path.target_nic.mac.lower() == frame.mac:
            series = self._run.series[probe]
            asked = frame.asked + self._offsets[frame.guest]
            others = [sample for sample in series.samples if abs(sample.asked - asked) > _SAME]
            samples = sorted([*others, Sample(asked, frame.known, True)], key=lambda sample: sample.asked)
            self._run.series[probe] = replace(series, samples=tuple(samples))

    def _own(self, guest: str) -> list[Probe]:
        return [probe for probe in self._probes if probe.guest == guest]

    def _start(self, guest: str) -> None:
        # Twice as often as needed, as a slow guest is late now and then.
        longest = longest_pause(self.duration) / 2
        script = probe_script(
            self._own(guest), self.duration + OVERTIME, until_reached=False, token=self._token, longest=longest
        )
        # The last ones are those of the program, which takes longest to start.
        last = len(self._own(guest)) - 1
        token = f".probes-{secrets.token_hex(6)}"
        self._words[guest] = {"token": token, "script": shlex.quote(script), "last": str(last)}
        self._run_in(guest, _START)

    def _run_in(self, guest: str, command: str) -> None:
        self._shells[guest].run(command % self._words[guest], FETCH_TIMEOUT, repeatable=True)

    def _fetch(self, guest: str, command: str) -> None:
        shell, words, own = self._shells[guest], self._words[guest], self._own(guest)
        deadline = Deadline(OVERTIME + SETTLE + FETCH_TIMEOUT)
        answer = shell.run(command % words, deadline.left, repeatable=True)
        ended = time.monotonic()
        samples = parse_samples(answer.stdout, len(own), ended, guest)
        self._heard[guest] = parse_heard(answer.stdout, ended)
        self._offsets[guest] = ended - float(answer.stdout.split()[-1])
        shell.run(_REMOVE % words, check=False, repeatable=True)
        for probe, found in zip(own, samples, strict=True):
            self._run.series[probe] = series_of(probe, found)


@dataclass(frozen=True)
class Between:
    """A NIC of ``vm`` and ``peer``, between which silence is expected while ``control`` answers; IP ``version``.

    ``control`` is "" without a third VM.
    """

    vm: str
    peer: str
    nic: str
    control: str
    version: int = 4


@dataclass(frozen=True)
class SilenceWatch:
    """An open window: ``targets`` must not answer, ``witnesses``, ``channel`` and ``alive`` are the controls.

    ``not_observed`` are kinds of traffic, with the reason.
    """

    window: Window
    targets: list[Path]
    witnesses: list[Path]
    channel: Path
    alive: Path
    not_observed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class PairWatch:
    """An open window between two VMs: ``targets`` must not answer, ``others`` cross another network, both ways.

    ``links`` are the link states of the silent NICs at its beginning, by guest; ``not_observed`` are kinds of traffic,
    with the reason.
    """

    window: Window
    targets: list[Path]
    others: list[Path]
    links: dict[str, LinkState]
    not_observed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class LossWatch:
    """Open streams of pings: ``ways`` are judged, ``control`` reaches the same NIC of the peer from a third guest."""

    window: Window
    ways: list[Path]
    beside: Window
    control: Path


def sample_window(shells: Mapping[str, Shell], probes: Sequence[Probe], duration: float) -> ProbeRun:
    """Samples all probes for ``duration`` seconds, in all guests at once, and waits for the end."""
    return Window(shells, probes, duration).start().finish()
