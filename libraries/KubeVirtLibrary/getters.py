# SPDX-License-Identifier: Apache-2.0
"""Keywords that return data: a VM, its VMI, a NIC and a node, for what no other keyword judges."""

from __future__ import annotations

import copy
from typing import Any

from livenad.api.kinds import VM, VMI, Kind, Object, dig
from livenad.api.status import network_of, nic_status, node_of
from livenad.errors import LabError, TestError
from livenad.model import VmRecord
from robot.api.deco import keyword

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import step
from KubeVirtLibrary.types import NicName, VmName


class GetterKeywords(KeywordComponent):
    """What the API server shows now: it is read once more before each of them returns."""

    @keyword(name="Get VM", tags=["getters", "core"])
    def get_vm(self, vm: VmName) -> dict[str, Any]:
        """Returns the VirtualMachine as a dictionary, as the API server has it now: ``${vm}[spec][runStrategy]``.

        It is a copy: changing it does not change the cluster. ``metadata.managedFields`` is left out. A VM that is not
        created yet is a TEST ERROR; one that is gone from the cluster is a LAB ERROR.

        Args:
        | ``vm`` | a VM that is on the cluster. |

        Example:
        | ${vm}    Get VM    web
        | Should Be Equal    ${vm}[spec][runStrategy]    Always
        """
        record = self._created(vm)
        found = self._read(VM, record)
        step(f"{record.subject}: {dig(found, 'status', 'printableStatus', default='no status yet')}")
        return found

    @keyword(name="Get VMI", tags=["getters", "core"])
    def get_vmi(self, vm: VmName) -> dict[str, Any]:
        """Returns the VirtualMachineInstance of a VM as a dictionary, as the API server has it now.

        It is a copy, as for `Get VM`. Fails with a LAB ERROR if the VM is stopped: it has no VMI then.

        Args:
        | ``vm`` | a VM that runs. |

        Example:
        | ${vmi}    Get VMI    web
        | Should Be Equal    ${vmi}[status][phase]    Running
        """
        record = self._created(vm)
        found = self._read(VMI, record)
        step(f"VMI of {record.subject}: phase {dig(found, 'status', 'phase')}, on node {node_of(found) or 'none'}")
        return found

    @keyword(name="Get NIC", tags=["getters", "core"])
    def get_nic(self, vm: VmName, *, nic: NicName) -> dict[str, Any]:
        """Returns the current state of a NIC as a dictionary.

        | =Key= | =What it is= |
        | ``name`` | its name in the VM's spec |
        | ``mac`` | its MAC, lower case |
        | ``network`` | name of its NAD, in the VMI's spec, or in the VM's spec if there is no VMI; empty: pod network |
        | ``addresses`` | list of its IP addresses without prefix, as the VMI reports them; empty: none is reported |
        | ``guest_interface`` | its name in the guest, such as ``net1``; empty: not reported |
        | ``pod_interface`` | its name in the launcher pod; empty: not reported |

        A NIC that the VM does not have is a TEST ERROR.

        Args:
        | ``vm`` | a VM that is on the cluster. |
        | ``nic`` | one of its NICs. |

        Example:
        | ${nic}    Get NIC    web    nic=secondary
        | Should Be Equal    ${nic}[network]    old-network
        """
        record = self._created(vm)
        asked = record.nic(nic)
        spec = dig(self._read(VM, record), "spec", "template", "spec", default={})
        vmi = self.history.current(VMI, record.name)
        status = (nic_status(vmi, nic) if vmi else None) or {}
        reported = status.get("ipAddresses") or [one for one in (status.get("ipAddress"),) if one]
        found = {
            "name": str(nic),
            "mac": asked.mac or str(status.get("mac") or "").lower(),
            "network": network_of(vmi["spec"] if vmi else spec, nic) or "",
            "addresses": [str(address) for address in reported],
            "guest_interface": str(status.get("interfaceName") or ""),
            "pod_interface": str(status.get("podInterfaceName") or ""),
        }
        step(f"{record.subject}: NIC " + ", ".join(f"{key} {_shown(value)}" for key, value in found.items()))
        return found

    @keyword(name="Get VM Node", tags=["getters", "core"])
    def get_vm_node(self, vm: VmName) -> str:
        """Returns the name of the node on which a VM runs. A VM that is on no node is a LAB ERROR.

        Args:
        | ``vm`` | a VM that runs. |

        Example:
        | ${node}    Get VM Node    web
        | Log    web runs on ${node}.
        """
        record = self._created(vm)
        node = node_of(self._read(VMI, record))
        if not node:
            raise LabError(f"{record.subject} is on no node yet; wait with `Wait Until VMs Are Ready`")
        step(f"{record.subject} is on node {node}")
        return node

    def _created(self, vm: str) -> VmRecord:
        suite, record = self.suite, self.vm(vm)
        if record not in suite.vms.started:
            raise TestError(f"{record.subject} is not created yet; call `Start VMs` first")
        suite.recorder.catch_up()
        return record

    def _read(self, kind: Kind, record: VmRecord) -> Object:
        found = self.history.current(kind, record.name)
        if found is None:
            status = dig(
                self.history.current(VM, record.name), "status", "printableStatus", default="not on the cluster"
            )
            raise LabError(f"{record.subject} has no {kind.name}; its status: {status}")
        return copy.deepcopy(found)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value) or "none"
