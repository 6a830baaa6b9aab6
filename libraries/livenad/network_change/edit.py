# SPDX-License-Identifier: Apache-2.0
"""An edit of a VM: one atomic patch, safe against edits by others at the same time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import VM, Object, dig
from livenad.api.status import network_of
from livenad.errors import LabError, TestError
from livenad.model import VmRecord

_EDIT_ATTEMPTS = 5
_TEST_FAILED = ("the server rejected our request due to an error in our request", "testing path /", "testing value /")
_DENIED = "denied the request"
"""How the refusal of an admission webhook begins its reason."""


def put_networks(client: Cluster, record: VmRecord, networks: Mapping[str, str]) -> Object:
    """Put each NIC on its network by one edit of the VM's spec; returns the stored VM and updates ``record``.

    When another client changed the VM meanwhile, reads the VM and tries again. Raises TestError for a NIC that does not
    exist, ApiError when the API server rejects the edit, LabError when the VM changes at each attempt.
    """

    def operations(spec: Object) -> list[Object]:
        there = spec.get("networks") or []
        return [one for nic, network in networks.items() for one in _operations(record, there, nic, network)]

    stored = edit_vm(client, record, operations, _edited(networks))
    record.nics = [replace(item, network=networks.get(item.name, item.network)) for item in record.nics]
    return stored


def edit_vm(
    client: Cluster, record: VmRecord, operations: Callable[[Object], list[Object]], done: Callable[[Object], bool]
) -> Object:
    """Edit a VM by the JSON patch that ``operations`` makes of its template's spec; returns the stored VM.

    The patch tests the fields that it replaces: when another client changed them meanwhile, it is made again. ``done``
    says of a VM whether the edit is applied. Raises what ``operations`` raises, ApiError when the API server rejects
    the edit, LabError when the VM changes at each attempt.
    """
    for left in reversed(range(_EDIT_ATTEMPTS)):
        vm = client.get(VM, record.name, record.namespace)
        patch = operations(dict(dig(vm, "spec", "template", "spec", default={})))
        try:
            return client.json_patch(VM, record.name, record.namespace, patch, done=done)
        except ApiError as error:
            if error.status not in (409, 422) or not left:
                raise
            if error.status == 422 and not _changed_meanwhile(str(error)):
                raise
            continue
    raise LabError(
        f"VM {record.namespace}/{record.name} could not be edited: another client changed it at each attempt"
    )


def _changed_meanwhile(refusal: str) -> bool:
    """Whether a test of the patch did not hold. The API server's own words, not a webhook's, nor a name with "test"."""
    return _DENIED not in refusal and any(words in refusal for words in _TEST_FAILED)


def _operations(record: VmRecord, there: Sequence[Object], nic: str, network: str) -> list[Object]:
    """Operations with tests of what they replace: the list may have been reordered since it was read."""
    position = next((index for index, item in enumerate(there) if item.get("name") == nic), None)
    if position is None:
        raise TestError(f'VM {record.namespace}/{record.name} has no network "{nic}" in its spec')
    path = f"/spec/template/spec/networks/{position}"
    before = dig(there[position], "multus", "networkName")
    return [
        {"op": "test", "path": f"{path}/name", "value": nic},
        {"op": "test", "path": f"{path}/multus/networkName", "value": before},
        {"op": "replace", "path": f"{path}/multus/networkName", "value": network},
    ]


def _edited(networks: Mapping[str, str]) -> Callable[[Object], bool]:
    """A function that says of a VM whether the edit is applied."""

    def edited(vm: Object) -> bool:
        spec = dig(vm, "spec", "template", "spec", default={})
        return all(network_of(spec, nic) == network for nic, network in networks.items())

    return edited
