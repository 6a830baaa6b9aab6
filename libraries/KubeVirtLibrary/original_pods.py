"""Keywords: the launcher pod that a swapped VM came from."""

from __future__ import annotations

from livenad.context import Run
from livenad.network_change.judge_source_pod import judge_request_kept
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import swap_of


class OriginalPodKeywords:
    """Verdicts on the pod in which a VM ran when its network was edited."""

    @keyword(name="Source Pod Should Ask For Its Networks As Before", tags=["verdict"])
    def source_pod_should_ask_for_its_networks_as_before(self, vm: str) -> None:
        """Fails when the launcher pod that a VM ran in before its swap got another networks annotation since.

        A Dynamic Networks Controller would act on such a change and plug the running pod. Judged on every state of
        the pod since before the edit.

        Args:
        | ``vm`` | a VM whose network was changed by `Change VM Network`. |
        """
        run = Run.current()
        swap, recorder = swap_of(run, vm), run.require_recorder()
        recorder.catch_up()
        step(judge_request_kept(recorder.history, swap))
