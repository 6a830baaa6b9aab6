# SPDX-License-Identifier: Apache-2.0
"""``--defect 'deviation={...}'``: one thing that goes wrong, described in JSON.

``vm`` names the VM, ``report`` a file that gets a line of JSON for what was done. One of these says what it is:

- ``field``: ``kind``, ``path``, ``how``, ``seed``, ``write``, ``times``, ``seconds`` as in `writes.WrittenField`;
- ``guest``: a ``command`` that runs in the guest as root when it has moved to another network, ``reboot``: true, or
  ``link``: the NIC that loses its carrier for a moment;
- ``frames``: the ``nic`` of the guest (by its name in the VM), ``to_guest``, and ``kind``, ``how``, ``seconds`` and
  ``nic_astray`` as in `dataplane.detour.Detour`, from that moment on.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator.dataplane.detour import HOW, KINDS, Detour
from emulator.deviations.writes import Tell, WrittenField
from emulator.fault_points import Defect
from emulator.nodeagent.switch_over import Action, SwitchOver, besides

PREFIX = "deviation="


def deviation(name: str) -> Defect:
    """The defect of a name that begins with ``deviation=``; ValueError that says what is wrong with it."""
    try:
        described = json.loads(name.removeprefix(PREFIX))
        vm, tell = str(described["vm"]), _teller(Path(described["report"]))
        if "field" in described:
            detail = described["field"]
            path = tuple(detail.pop("path"))
            return _defect(name, "store.write", WrittenField(vm=vm, path=path, tell=tell, **detail))
        action = _in_guest(described["guest"], tell) if "guest" in described else _on_wire(described["frames"], tell)
        return _defect(name, "agent.after_switch_over", besides(action))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name!r} does not describe a deviation: {error!r}") from None


def _defect(name: str, point: str, change: Any) -> Defect:
    return Defect(name=name, sentence="One thing goes wrong, as described.", rows=(), point=point, change=change)


def _teller(report: Path) -> Tell:
    def tell(**what: Any) -> None:
        with report.open("a", encoding="utf-8") as file:
            file.write(json.dumps(what, default=str) + "\n")

    return tell


def _in_guest(detail: dict[str, Any], tell: Tell) -> Action:
    if not detail.keys() & {"command", "reboot", "link"}:
        raise ValueError("a guest needs command, reboot or link")

    async def change(now: SwitchOver) -> None:
        said = ""
        if detail.get("reboot"):
            await now.dataplane.reboot(now.domain.uid)
        elif nic := detail.get("link"):
            await now.dataplane.set_link(now.domain.uid, nic, False)
            await now.dataplane.set_link(now.domain.uid, nic, True)
        else:
            # What it complains of is not done.
            quietly = ("sh", "-c", 'exec "$@" 2>/dev/null', "sh")
            said = (await now.inside(*quietly, *detail["command"])).decode(errors="replace").strip()
        tell(done=said)

    return change


def _on_wire(detail: dict[str, Any], tell: Tell) -> Action:
    nic = str(detail["nic"])
    detour = Detour(
        to_guest=bool(detail["to_guest"]),
        kind=KINDS[detail["kind"]],
        how=str(detail["how"]),
        seconds=float(detail.get("seconds", 0.0)),
        nic_astray=str(detail.get("nic_astray", "")),
        first=lambda: tell(done=detail["kind"]),
    )
    if detour.how not in HOW:
        raise ValueError(f"how is {detour.how!r}; expected one of {', '.join(HOW)}")

    async def divert(now: SwitchOver) -> None:
        await now.dataplane.divert(now.domain.uid, nic, detour)

    return divert
