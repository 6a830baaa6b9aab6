# SPDX-License-Identifier: Apache-2.0
"""A VM as its user wants it, and KubeVirt's rules about what of that reaches it without a restart.

Written from the reference of KubeVirt's behaviour, not from the emulator: it is what the emulator is held to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .steps import LATE, Sequence, Step

Obj = dict[str, Any]
POD_NIC = "default"
VM_NAME = "vm"
# Versions in which a changed networkName goes live, and that in which it does so only where the VM can migrate.
LIVE = ("1.8-gate", "1.9", "main")
ASKS_FIRST = "main"


@dataclass
class Nic:
    """``network`` as a step names it; ``second_mac``: whether it has its other MAC."""

    network: str
    second_mac: bool = False
    absent: bool = False


@dataclass
class Wanted:
    """The template of a VM. ``number`` tells sequences of a batch apart, in MACs as elsewhere."""

    number: int
    namespace: str
    version: str
    movable: bool
    nics: dict[str, Nic]
    running: bool = True
    cores: int = 1
    has_late: bool = False
    # Every networkName that a NIC has been given since the VM last was at rest.
    given: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def by(cls, sequence: Sequence, number: int, namespace: str, version: str) -> Wanted:
        nics = {name: Nic(network) for name, network in sequence.nics}
        wanted = cls(number, namespace, version, sequence.movable, nics)
        wanted.note_given()
        return wanted

    def note_given(self) -> None:
        for name, nic in self.nics.items():
            self.given.setdefault(name, set()).add(self.network_name(nic.network))

    def mac(self, name: str) -> str:
        nic = self.nics[name]
        return f"02:00:{self.number >> 8:02x}:{self.number & 255:02x}:0{name[-1]}:{int(nic.second_mac):02x}"

    def network_name(self, network: str) -> str:
        """``networkName`` for a network."""
        if "/" in network:
            return network
        return f"{self.namespace}/nad-{network[1:]}" if network.startswith("@") else f"nad-{network}"

    def full_name(self, network_name: str) -> str:
        """``namespace/name`` of the NAD that a networkName means."""
        return network_name if "/" in network_name else f"{self.namespace}/{network_name}"

    @property
    def goes_live(self) -> bool:
        """Whether a changed networkName reaches the running VMI."""
        return self.version in LIVE and (self.movable or self.version != ASKS_FIRST)

    @property
    def lacks_network(self) -> bool:
        return not self.has_late and any(nic.network == LATE for nic in self.nics.values() if not nic.absent)

    def apply(self, step: Step) -> bool:
        """Makes the step's change in the template; False where it has nothing to change any more."""
        names = [name for name, _ in step.nics]
        if step.do == "edit":
            for name, network in step.nics:
                if name in self.nics:
                    self.nics[name].network = network
        elif step.do == "plug":
            self.nics.update({name: Nic(network) for name, network in step.nics})
        elif step.do == "cores":
            self.cores = 3 - self.cores
        for name in set(names) & self.nics.keys():
            if step.do == "unplug":
                self.nics[name].absent = True
            elif step.do == "mac":
                self.nics[name].second_mac = not self.nics[name].second_mac
            elif step.do == "drop":
                del self.nics[name]
        self.note_given()
        return not names or step.do == "drop" or bool(set(names) & self.nics.keys())

    def restore(self, nics: dict[str, tuple[str, bool, bool]], cores: int) -> None:
        """Takes back a change that was not written after all."""
        self.nics = {name: Nic(*fields) for name, fields in nics.items()}
        self.cores = cores

    def networks(self) -> list[Obj]:
        pod: list[Obj] = [{"name": POD_NIC, "pod": {}}]
        return pod + [
            {"name": name, "multus": {"networkName": self.network_name(nic.network)}} for name, nic in self.nics.items()
        ]

    def interfaces(self) -> list[Obj]:
        cards: list[Obj] = [{"name": POD_NIC, "masquerade" if self.movable else "bridge": {}}]
        for name, nic in self.nics.items():
            card = {"name": name, "bridge": {}, "macAddress": self.mac(name)}
            cards.append(card | {"state": "absent"} if nic.absent else card)
        return cards

    def forget_unplugged(self) -> None:
        """KubeVirt takes a NIC that has been unplugged out of the template."""
        self.nics = {name: nic for name, nic in self.nics.items() if not nic.absent}

    def manifest(self) -> Obj:
        domain = {
            "cpu": {"cores": self.cores, "sockets": 1, "threads": 1},
            "devices": {
                "disks": [{"name": "root", "disk": {"bus": "virtio"}}],
                "interfaces": self.interfaces(),
            },
            "memory": {"guest": "64Mi"},
        }
        spec = {
            "domain": domain,
            "networks": self.networks(),
            "terminationGracePeriodSeconds": 0,
            "volumes": [{"name": "root", "containerDisk": {"image": "quay.io/containerdisks/fedora:41"}}],
        }
        return {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachine",
            "metadata": {"name": VM_NAME, "namespace": self.namespace},
            "spec": {"runStrategy": "Always", "template": {"spec": spec}},
        }


def nics_of(spec: Obj) -> dict[str, tuple[str, str, str]]:
    """(networkName, MAC, state) of each secondary NIC of a template's or a VMI's spec."""
    cards = {card["name"]: card for card in spec["domain"]["devices"].get("interfaces") or []}
    return {
        net["name"]: (
            net["multus"]["networkName"],
            cards.get(net["name"], {}).get("macAddress", ""),
            cards.get(net["name"], {}).get("state", ""),
        )
        for net in spec.get("networks") or []
        if "multus" in net
    }


def needs_restart(template: Obj, vmi: Obj, start: Obj, *, ignores_nad: bool) -> bool:
    """KubeVirt's rule for RestartRequired, for what a sequence changes; all three are specs of VMIs.

    ``start`` is what the VMI was started from. NICs that have come since, or whose NAD alone is another one, need no
    restart; and where NICs do, one is asked for only if the template's are not those of the start.
    """
    if template["domain"]["cpu"]["cores"] != start["domain"]["cpu"]["cores"]:
        return True
    wanted, has = nics_of(template), nics_of(vmi)
    differs = any(
        name not in wanted or wanted[name][1] != mac or (wanted[name][0] != network and not ignores_nad)
        for name, (network, mac, _) in has.items()
    )
    return differs and wanted != nics_of(start)
