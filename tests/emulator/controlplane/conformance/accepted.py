# SPDX-License-Identifier: Apache-2.0
"""The differences from the recordings that are accepted, each with its reason.

One that no longer occurs is an error, so that this list stays as short as it can be. None may touch a condition, a
phase, an order or a message.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    """``recording`` and ``fact`` as they are called in the stored facts."""

    recording: str
    fact: str
    reason: str


ACCEPTED = (
    Accepted(
        "1.9.0-j4-starting",
        "objects/VirtualMachine vm1/status.desiredGeneration",
        "The VM controller was late on the busy machine of this recording: it first wrote the VM's generations after "
        "the edit, which is 2. Here, as in the same flow of the other versions, it has written 1 before.",
    ),
    Accepted(
        "1.9.0-i1-revert-quick",
        "objects/Pod vm1 2/metadata.annotations.kubevirt.io/vm-generation",
        "Two controllers raced: the VMI had the note of the reverted generation (3) before its target pod was made, "
        "but not yet the reverted spec. Here the pod is made first, as in the same flow of main.",
    ),
    Accepted(
        "1.9.0-m5-eviction-strategies",
        "objects/VirtualMachineInstance none 1/metadata.finalizers",
        "Two controllers raced for the first finalizer of a VMI that has ended. Here it goes as with two other VMIs of "
        "this recording.",
    ),
    Accepted(
        "1.9.0-m5-eviction-strategies",
        "objects/VirtualMachineInstance none 1/status.launcherContainerImageVersion",
        "The same race: the VMI was looked at once more after its pod. Here as with two others of this recording.",
    ),
)


def judged(recording: str, found: dict[str, str]) -> list[str]:
    """What is wrong: each difference that is not accepted, and each accepted one that did not occur."""
    accepted = {entry.fact for entry in ACCEPTED if entry.recording == recording}
    wrong = [f"{fact}: {difference}" for fact, difference in found.items() if fact not in accepted]
    return wrong + [f"{fact}: accepted as different, and is the same" for fact in sorted(accepted - found.keys())]
