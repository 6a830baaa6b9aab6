"""Keywords: one edit for each of many VMs, and how the cluster works them off."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from pathlib import Path

from livenad.context import Run
from livenad.errors import BadInput, ProductFault
from livenad.migrations.migration_queue import QueuedSwap, limits_text, most_at_once, queued_swaps, spread
from livenad.model import VmRecord
from livenad.network_change.completion import NetworkSwap, five_facts, is_complete, remember
from livenad.report.chart_html import chart_html
from livenad.report.migration_queue_chart import queue_timeline
from livenad.report.timeline import text_of
from livenad.report.timeline_svg import timeline_svg
from livenad.text import human
from robot.api.deco import keyword

from KubeVirtLibrary.machines import MachineKeywords
from KubeVirtLibrary.namespaces import nad_name
from KubeVirtLibrary.reporting import chart, step, table, variable
from KubeVirtLibrary.swaps import edit, require_movable_nic, require_running, swap_of

_SHOWN = 5
FILE = "migration-queue-{}.json"


class ManyVmsKeywords:
    """Information first: only a VM that does not arrive is a fault."""

    def __init__(self, machines: MachineKeywords) -> None:
        self._machines = machines

    @keyword(name="Define Many VMs", tags=["vm"])
    def define_many_vms(self, group: str, *, count: int, nic: str, network: str) -> None:
        """Notes so many equal VMs, each with one NIC beside the pod network's.

        Args:
        | ``group`` | beginning of their names; a hyphen and a number follow. |
        | ``count`` | how many, from 1 to 500. |
        | ``nic`` | name of the NIC. |
        | ``network`` | its NAD, by name or as ``namespace/name``. |
        """
        if not 1 <= count <= 500:
            raise BadInput(f"count is {count}; expected a number of VMs from 1 to 500")
        naming = Run.current().naming
        for number in range(1, count + 1):
            name = naming.real(f"{group}-{number}")
            self._machines.define_vm(name)
            self._machines.add_nic(name, nic, network=network)

    @keyword(name="Change Networks Of Many VMs", tags=["swap"])
    def change_networks_of_many_vms(self, group: str, *, nic: str, network: str) -> None:
        """Puts a NIC of each of these running VMs on another network: an edit for each VM, without a pause between.

        Args:
        | ``group`` | VMs of `Define Many VMs`; all of them run. |
        | ``nic`` | a NIC that all of them have, not the one on the pod network. |
        | ``network`` | NAD to move to, by name or as ``namespace/name``. |
        """
        run = Run.current()
        records, network = _members(run, group), nad_name(network)
        for record in records:
            require_movable_nic(record, nic)
        recorder = run.require_recorder()
        recorder.catch_up()
        for record in records:
            require_running(recorder.history, record)
        for record in records:
            edit(run, record, remember(recorder.history, record.name, record.namespace, nic, network))
        took = human(time.monotonic() - run.swaps[records[0].name].at)
        step(f'{len(records)} VMs in {records[0].namespace}: NIC "{nic}" put on "{network}" within {took}')

    @keyword(name="Network Swaps Of Many VMs Should Have Completed", tags=["verdict"])
    def network_swaps_of_many_vms_should_have_completed(self, group: str, *, within: timedelta) -> None:
        """Waits for the swaps of all these VMs, shows how the cluster worked them off, and fails if one is missing.

        Shown are the times of the VMs, the queue of their migrations as a chart, and the cluster's limits; the data is
        in ``migration-queue-<namespace>.json`` beside the log. How long one VM waits for others is not judged.

        Args:
        | ``group`` | VMs of `Change Networks Of Many VMs`. |
        | ``within`` | for how long at most, for all of them together, counted from the first edit. |
        """
        run = Run.current()
        recorder, swaps = run.require_recorder(), [swap_of(run, record.name) for record in _members(run, group)]
        history, deadline = recorder.history, min(swap.at for swap in swaps) + within.total_seconds()
        for number, swap in enumerate(swaps, 1):
            recorder.wait_for(
                lambda _, swap=swap: is_complete(history, swap),  # type: ignore[misc]
                max(0.0, deadline - time.monotonic()),
                f"swaps of {len(swaps)} VMs",
                lambda number=number, swap=swap: f"{number - 1} complete, now {swap.vm}",  # type: ignore[misc]
            )
        queue = queued_swaps(history, swaps)
        _show(run, queue, time.monotonic() - min(swap.at for swap in swaps))
        missing = [swap for swap in swaps if not is_complete(history, swap)]
        if missing:
            first, others = missing[0], f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            told = "; ".join(f"{swap.vm}: {_lacks(run, swap)}" for swap in missing[:_SHOWN])
            raise ProductFault(
                f"VM {first.namespace}/{first.vm}{others} of {len(swaps)}: expected every swap to be complete within "
                f"{human(within.total_seconds())} of the first edit; {told}"
            )
        step(f"All {len(swaps)} VMs are on their new network")


def _members(run: Run, group: str) -> list[VmRecord]:
    """The VMs of a group. Raises BadInput when there is none."""
    member = re.compile(rf"{re.escape(group)}-[1-9]\d*{re.escape(run.naming.suffix)}")
    found = [record for name, record in run.vms.items() if member.fullmatch(name)]
    if not found:
        raise BadInput(f'no VM of group "{group}" is defined in this suite; call `Define Many VMs` first')
    return found


def _show(run: Run, queue: list[QueuedSwap], end: float) -> None:
    limits, seen = limits_text(run.require_facts().kubevirt), spread(queue)
    namespace = run.require_namespace()
    if seen is not None:
        heads = ("VMs", "quickest", "median", "nine in ten within", "slowest", "most migrations at once", "limits")
        times = [human(seconds) for seconds in (seen.fewest, seen.middle, seen.ninth, seen.most)]
        table(heads, [[str(len(queue)), *times, str(most_at_once(queue)), limits]])
    name = FILE.format(namespace)
    data = {"limits": limits, "most_at_once": most_at_once(queue), "vms": [one.as_data() for one in queue]}
    Path(str(variable("OUTPUT DIR")), name).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    drawn = queue_timeline(f"Migrations of {len(queue)} VMs in {namespace}; {limits}", queue, end)
    chart(chart_html(timeline_svg(drawn), "The queue in words", text_of(drawn), name))


def _lacks(run: Run, swap: NetworkSwap) -> str:
    return next(fact.seen for fact in five_facts(run.require_recorder().history, swap) if not fact.holds)
