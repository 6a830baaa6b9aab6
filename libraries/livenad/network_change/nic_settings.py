# SPDX-License-Identifier: Apache-2.0
"""Edits of a NIC that cannot be applied to a running VM: binding or model, alone or together with the network."""

from __future__ import annotations

from typing import Literal, get_args

from livenad.api.client import Cluster
from livenad.api.kinds import Object, dig
from livenad.api.status import interface_of, network_of
from livenad.changes import NicSettingsChange
from livenad.errors import TestError
from livenad.model import VmRecord
from livenad.network_change.edit import edit_vm

Binding = Literal["bridge", "masquerade", "sriov", "passtBinding", "binding"]
BINDINGS = get_args(Binding)
_SPEC = "/spec/template/spec"


def put_edit(client: Cluster, record: VmRecord, edit: NicSettingsChange) -> Object:
    """Make the edit in one patch; returns the stored VM. Raises TestError for an unknown NIC, else as `edit_vm`."""

    def done(vm: Object) -> bool:
        spec = dig(vm, "spec", "template", "spec", default={})
        card = interface_of(spec, edit.nic)
        return (
            (not edit.binding or edit.binding in card)
            and (not edit.model or card.get("model") == edit.model)
            and (not edit.network or network_of(spec, edit.nic) == edit.network)
        )

    return edit_vm(client, record, lambda spec: _operations(record, spec, edit), done)


def _operations(record: VmRecord, spec: Object, edit: NicSettingsChange) -> list[Object]:
    cards, networks = dig(spec, "domain", "devices", "interfaces", default=[]) or [], spec.get("networks") or []
    card, network = (
        next((index for index, item in enumerate(items) if item.get("name") == edit.nic), None)
        for items in (cards, networks)
    )
    if card is None or network is None:
        raise TestError(f'VM {record.namespace}/{record.name} has no NIC "{edit.nic}" in its spec')
    path = f"{_SPEC}/domain/devices/interfaces/{card}"
    patch: list[Object] = [{"op": "test", "path": path, "value": cards[card]}]
    if edit.binding:
        patch += [{"op": "remove", "path": f"{path}/{old}"} for old in BINDINGS if old in cards[card]]
        patch.append({"op": "add", "path": f"{path}/{edit.binding}", "value": {}})
    if edit.model:
        patch.append({"op": "add", "path": f"{path}/model", "value": edit.model})
    if edit.network:
        path = f"{_SPEC}/networks/{network}"
        patch.append({"op": "test", "path": f"{path}/name", "value": edit.nic})
        patch.append({"op": "replace", "path": f"{path}/multus/networkName", "value": edit.network})
    return patch
