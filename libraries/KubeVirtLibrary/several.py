"""Keywords: one edit that moves several NICs."""

from __future__ import annotations

from livenad.context import Run
from livenad.errors import BadInput
from livenad.network_change.completion import remember
from robot.api.deco import keyword

from KubeVirtLibrary.namespaces import nad_name
from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import edit, require_movable_nic, require_running


class SeveralNicsKeywords:
    """Like `Change VM Network`, for more than one NIC at once."""

    @keyword(name="Change VM Networks", tags=["swap"])
    def change_vm_networks(self, vm: str, **networks: str) -> None:
        """Puts several NICs of a running VM on other networks by one edit, which is applied wholly or not at all.

        Otherwise like `Change VM Network`. The verdicts tell the NICs apart by their argument ``nic``.

        Args:
        | ``vm`` | a VM that runs. |
        | ``networks`` | for each NIC the NAD to move to, such as ``secondary=new-network``. |
        """
        run = Run.current()
        record = run.vm(vm)
        if not networks:
            raise BadInput(f"VM {record.namespace}/{vm}: no NIC is named; expected such as secondary=new-network")
        networks = {nic: nad_name(network) for nic, network in networks.items()}
        for nic in networks:
            require_movable_nic(record, nic)
        recorder = run.require_recorder()
        recorder.catch_up()
        history = recorder.history
        require_running(history, record)
        swaps = [remember(history, vm, record.namespace, nic, network) for nic, network in networks.items()]
        edit(run, record, *swaps)
        for swap in swaps:
            step(f"{swap.title}: edited, together with all others of this edit")
