# SPDX-License-Identifier: Apache-2.0
"""Image, memory and CPU cores of a VM: what is taken, what is refused, and where it goes."""

from __future__ import annotations

import pytest
from livenad.errors import TestError
from livenad.ownership.naming import SuiteNamespace
from livenad.virtual_machines.manifests import vm_manifest
from livenad.virtual_machines.registry import VirtualMachines


@pytest.fixture
def vms() -> VirtualMachines:
    return VirtualMachines(SuiteNamespace("demo"), "r1", "tester")


def test_what_is_given_counts_before_the_variables(vms: VirtualMachines) -> None:
    record = vms.define("web", image="quay.io/team-a/web:1", memory="2Gi", cpu_cores=4)
    spec = vm_manifest(record, "r1", "quay.io/default:1", "1Gi")["spec"]["template"]["spec"]
    assert spec["domain"]["cpu"] == {"cores": 4}
    assert spec["domain"]["memory"] == {"guest": "2Gi"}
    assert spec["domain"]["resources"]["requests"]["memory"] == "2Gi"
    assert spec["volumes"][0]["containerDisk"] == {"image": "quay.io/team-a/web:1"}


def test_what_is_not_given_is_that_of_the_variables(vms: VirtualMachines) -> None:
    spec = vm_manifest(vms.define("web"), "r1", "quay.io/default:1", "1Gi")["spec"]["template"]["spec"]
    assert (spec["domain"]["cpu"], spec["domain"]["memory"]) == ({"cores": 1}, {"guest": "1Gi"})
    assert spec["volumes"][0]["containerDisk"] == {"image": "quay.io/default:1"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"image": "not an image"}, 'image "not an image" of VM web: expected the name of a container disk'),
        ({"memory": "lots"}, 'memory "lots" of VM web: expected a quantity such as 1Gi'),
        ({"memory": "0Gi"}, 'memory "0Gi" of VM web'),
        ({"cpu_cores": 0}, "cpu_cores=0 of VM web: expected a number from 1 to 64"),
        ({"cpu_cores": 65}, "cpu_cores=65 of VM web"),
    ],
)
def test_a_wrong_value_is_the_suites_fault_and_defines_nothing(
    vms: VirtualMachines, given: dict[str, object], said: str
) -> None:
    with pytest.raises(TestError, match=said):
        vms.define("web", **given)  # type: ignore[arg-type]
    assert list(vms) == []
