# SPDX-License-Identifier: Apache-2.0
"""Image, memory and CPU cores of a VM: checks of the values that a suite gives."""

from __future__ import annotations

from livenad.errors import TestError
from livenad.settings import is_image, is_quantity

MOST_CORES = 64


def check_guest_size(vm: str, image: str, memory: str, cpu_cores: int) -> None:
    """Raise TestError for an invalid value; "" means the value of VM_IMAGE or VM_MEMORY."""
    if image and not is_image(image):
        raise TestError(
            f'image "{image}" of VM {vm}: expected the name of a container disk, such as '
            "quay.io/containerdisks/fedora:41; leave it out for the value of VM_IMAGE"
        )
    if memory and not is_quantity(memory):
        raise TestError(
            f'memory "{memory}" of VM {vm}: expected a quantity such as 1Gi or 512Mi; leave it out for the value of '
            "VM_MEMORY"
        )
    if not 1 <= cpu_cores <= MOST_CORES:
        raise TestError(f"cpu_cores={cpu_cores} of VM {vm}: expected a number from 1 to {MOST_CORES}")
