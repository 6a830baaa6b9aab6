"""Edits of a NIC that a running VM cannot follow: its binding, its model, alone or along with its network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from weakref import WeakKeyDictionary

from livenad.api.kinds import Object, dig
from livenad.api.status import network_of
from livenad.context import Run
from livenad.errors import BadInput
from livenad.model import VmRecord
from livenad.network_change.change import Act
from livenad.network_change.edit import edit_vm

BINDINGS = ("bridge", "masquerade", "sriov", "passtBinding", "binding")
_SPEC = "/spec/template/spec"


@dataclass(frozen=True)
class NicEdit:
    """What is to become of a NIC; "" leaves a field as it is. ``act`` is the moment of the edit."""

    act: Act
    nic: str
    binding: str = ""
    model: str = ""
    network: str = ""

    @property
    def title(self) -> str:
        fields = {"binding": self.binding, "model": self.model, "networkName": self.network}
        listed = ", ".join(f'{field} "{value}"' for field, value in fields.items() if value)
        return f'{self.act.title}, NIC "{self.nic}", edited to {listed}'


class NicEdits:
    """The last such edit of each VM of a run."""

    _known: ClassVar[WeakKeyDictionary[Run, NicEdits]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], NicEdit] = {}

    @classmethod
    def of(cls, run: Run) -> NicEdits:
        """Those of a run."""
        return cls._known.setdefault(run, cls())

    def add(self, edit: NicEdit) -> None:
        """Remember one that was just made."""
        self._last[edit.act.namespace, edit.act.vm] = edit

    def last(self, vm: str, namespace: str) -> NicEdit:
        """The last one of a VM. BadInput when there was none."""
        if (namespace, vm) not in self._last:
            raise BadInput(f"no NIC of VM {namespace}/{vm} was edited yet; call `Edit NIC` first")
        return self._last[namespace, vm]


def put_edit(run: Run, record: VmRecord, edit: NicEdit) -> Object:
    """Make the edit in one patch; gives the VM as stored. Raises BadInput for an unknown NIC, else as `edit_vm`."""

    def done(vm: Object) -> bool:
        spec = dig(vm, "spec", "template", "spec", default={})
        card = interface_of(spec, edit.nic)
        return (
            (not edit.binding or edit.binding in card)
            and (not edit.model or card.get("model") == edit.model)
            and (not edit.network or network_of(spec, edit.nic) == edit.network)
        )

    return edit_vm(run, record, lambda spec: _operations(record, spec, edit), done)


def _operations(record: VmRecord, spec: Object, edit: NicEdit) -> list[Object]:
    cards, networks = dig(spec, "domain", "devices", "interfaces", default=[]) or [], spec.get("networks") or []
    card, network = (
        next((index for index, item in enumerate(items) if item.get("name") == edit.nic), None)
        for items in (cards, networks)
    )
    if card is None or network is None:
        raise BadInput(f'VM {record.namespace}/{record.name} has no NIC "{edit.nic}" in its spec')
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


def interface_of(spec: Object, nic: str) -> Object:
    """A NIC's interface in a VMI's spec or in a VM's template, empty where it has none."""
    cards = dig(spec, "domain", "devices", "interfaces", default=[]) or []
    return next((dict(card) for card in cards if card.get("name") == nic), {})
