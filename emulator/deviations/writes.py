# SPDX-License-Identifier: Apache-2.0
"""A field of an object that is written wrong: changed, dropped, doubled, or some time too late."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from emulator.deviations import fields
from emulator.kube.client import Obj

Tell = Callable[..., None]
_ENDED_POD = ("Succeeded", "Failed")
Later = Callable[[float, Callable[[Obj], None]], None]


@dataclass
class WrittenField:
    """A change at ``store.write``, for the objects of one VM once its networks were edited.

    ``write`` says which write is wrong, of those in which it makes a difference (1: the first); ``times`` how many from
    then on. ``delayed``: the object keeps the old value for ``seconds``. ``touched``: nothing is wrong, but the
    object is written once more after ``seconds``.
    """

    vm: str
    kind: str
    path: fields.Path
    how: str
    tell: Tell
    seed: int = 0
    write: int = 1
    times: int = 1
    seconds: float = 5.0
    _namespace: str = ""
    _seen: int = 0
    _name: str = ""
    _odd: Any = None
    _healed: bool = False
    _place: fields.Path = field(default=())

    def __call__(self, obj: Obj, *, before: Obj | None, later: Later) -> Obj:
        """What is stored in place of ``obj``, which stays as it is."""
        if not self._namespace:
            if _edits_networks(obj, before, self.vm):
                self._namespace = obj["metadata"]["namespace"]
            return obj
        if obj.get("kind") != self.kind or not self._belongs(obj):
            return obj
        name = obj["metadata"].get("name", "")
        over = self._name and (name != self._name or self._seen >= self.write + self.times - 1)
        altered, place = (obj, self.path) if over else self._altered(obj, before)
        if over or (altered == obj and self.how != "touched"):
            self._look(obj, name)
            return obj
        self._seen += 1
        if self._seen >= self.write:
            self._now_wrong(name, place, fields.get(obj, place), fields.get(altered, place), later)
            return altered
        return obj

    def _altered(self, obj: Obj, before: Obj | None) -> tuple[Obj, fields.Path]:
        """The object with the wrong field, and the path of that field in it."""
        altered = copy.deepcopy(obj)
        place = fields.translated(altered, self.path, random.Random(self.seed))  # noqa: S311 - no secret
        if self.how == "delayed":
            fields.put(altered, place, copy.deepcopy(fields.get(before, place)) if before else None)
        elif self.how != "touched" and not (self._name and fields.get(obj, place) == self._odd):
            fields.alter(altered, place, self.how)
        return altered, place

    def _now_wrong(self, name: str, place: fields.Path, wanted: Any, odd: Any, later: Later) -> None:
        self._name, self._place, self._odd = name, place, odd
        self.tell(done=f"{self.kind} {name}", path=".".join(place), was=wanted, now=odd)
        if self.how == "delayed":
            later(self.seconds, lambda current: fields.put(current, place, wanted))
        elif self.how == "touched":
            later(self.seconds, lambda current: None)

    def _belongs(self, obj: Obj) -> bool:
        metadata = obj["metadata"]
        names = (metadata.get("name"), (metadata.get("labels") or {}).get("vm.kubevirt.io/name"))
        if (obj.get("status") or {}).get("phase") in _ENDED_POD and obj["kind"] == "Pod":
            return False  # the VM has left it
        mine = self.vm in (*names, (obj.get("spec") or {}).get("vmiName"))
        return bool(mine and metadata.get("namespace") == self._namespace)

    def _look(self, obj: Obj, name: str) -> None:
        """Tell whether a later write has made the field right, or wrong once more."""
        if not self._name or name != self._name:
            return
        healed = fields.get(obj, self._place) != self._odd
        if healed != self._healed:
            self._healed = healed
            self.tell(healed=healed, now=fields.get(obj, self._place))


def _edits_networks(obj: Obj, before: Obj | None, vm: str) -> bool:
    if before is None or obj.get("kind") != "VirtualMachine" or obj["metadata"].get("name") != vm:
        return False
    return bool(_networks(obj) != _networks(before))


def _networks(vm: Obj) -> Any:
    return fields.get(vm, ("spec", "template", "spec", "networks"))
