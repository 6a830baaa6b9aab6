"""Keywords: what must have come true after a swap."""

from __future__ import annotations

import time
from datetime import timedelta

from livenad.context import Run
from livenad.errors import BadInput, ProductFault
from livenad.network_change.completion import NetworkSwap, is_complete
from livenad.network_change.judge_network_change import interface_differences, judge_completion
from livenad.text import human
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import swap_of


class CompletionKeywords:
    """Verdicts on the outcome of `Change VM Network`."""

    @keyword(name="Network Swap Should Have Completed", tags=["verdict"])
    def network_swap_should_have_completed(self, vm: str, *, nic: str, within: timedelta) -> None:
        """Fails unless five facts came true together in time.

        They are: the cluster's migration object for the edit is Succeeded; the VMI's migrationState is completed for
        that object and not failed; the VMI's node is the target; MigrationRequired is gone; and the launcher pod's
        network-status names the new network for the NIC.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``nic`` | the NIC that was moved. |
        | ``within`` | counted from the edit. |
        """
        run = Run.current()
        swap, recorder = _swap_of_nic(run, vm, nic), run.require_recorder()
        limit = within.total_seconds()
        left = swap.at + limit - time.monotonic()
        recorder.wait_for(lambda history: is_complete(history, swap), left, swap.title, lambda: "not complete")
        recorder.catch_up()
        step(judge_completion(recorder.history, swap, limit))

    @keyword(name="VMI Interface Should Be Unchanged", tags=["verdict"])
    def vmi_interface_should_be_unchanged(
        self, vm: str, *, nic: str, within: timedelta = timedelta(seconds=30)
    ) -> None:
        """Fails when the API shows the NIC otherwise than before the edit, but for the name of its network.

        Compared are MAC, model, binding, interface name in guest and pod, link state and addresses.

        Args:
        | ``vm`` | a VM whose network was changed. |
        | ``nic`` | the NIC that was moved. |
        | ``within`` | for how long the guest agent may take to report again after the migration. |
        """
        run = Run.current()
        swap, recorder = _swap_of_nic(run, vm, nic), run.require_recorder()
        recorder.wait_for(
            lambda history: not interface_differences(history, swap),
            within.total_seconds(),
            f"{swap.title}: the API's view as before",
            lambda: "; ".join(interface_differences(recorder.history, swap)),
        )
        differences = interface_differences(recorder.history, swap)
        if differences:
            raise ProductFault(
                f'VM {swap.namespace}/{vm}, NIC "{nic}": expected the VMI to show it as before the swap, for '
                f"{human(within.total_seconds())} it did not: {'; '.join(differences)}"
            )
        step(f'VM {swap.namespace}/{vm}, NIC "{nic}": the VMI shows it as before the swap')


def _swap_of_nic(run: Run, vm: str, nic: str) -> NetworkSwap:
    run.vm(vm).nic(nic)
    swap = swap_of(run, vm)
    companion = run.swaps.get(f"{vm}/{nic}")
    if companion is not None and companion.resource_version == swap.resource_version:
        return companion
    if swap.nic != nic:
        raise BadInput(f'NIC "{nic}" of VM {swap.namespace}/{vm} was not moved; the NIC that was moved is "{swap.nic}"')
    return swap
