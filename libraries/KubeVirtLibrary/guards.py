"""Keywords: what must never happen. Judged on everything recorded from before the edit until now."""

from __future__ import annotations

from collections.abc import Callable

from livenad.api.history import History
from livenad.context import Run
from livenad.network_change.completion import NetworkSwap
from livenad.network_change.judge_network_change import (
    judge_not_restarted,
    judge_one_migration,
    judge_restart_never_required,
)
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import swap_of

Judge = Callable[[History, NetworkSwap], str]


class GuardKeywords:
    """Each reads the cluster once more first, so that a broken watch is the lab's fault and not the product's."""

    @keyword(name="VM Should Not Have Been Restarted", tags=["verdict"])
    def vm_should_not_have_been_restarted(self, vm: str) -> None:
        """Fails when the VMI was deleted or replaced, or left phase Running, at any time since before the edit."""
        _judge(vm, judge_not_restarted)

    @keyword(name="Restart Required Should Never Have Been Set", tags=["verdict"])
    def restart_required_should_never_have_been_set(self, vm: str) -> None:
        """Fails when RestartRequired was set on the VM at any time since before the edit, for however short a time."""
        _judge(vm, judge_restart_never_required)

    @keyword(name="VM Should Have Been Migrated Exactly Once", tags=["verdict"])
    def vm_should_have_been_migrated_exactly_once(self, vm: str) -> None:
        """Fails unless there was one migration since the edit, made by the cluster for it, and it succeeded."""
        _judge(vm, judge_one_migration)


def _judge(vm: str, judge: Judge) -> None:
    run = Run.current()
    swap, recorder = swap_of(run, vm), run.require_recorder()
    recorder.catch_up()
    step(judge(recorder.history, swap))
