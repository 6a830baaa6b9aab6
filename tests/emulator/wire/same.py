# SPDX-License-Identifier: Apache-2.0
"""Whether an answer is the recorded one, but for what is named by chance.

Uids, resource versions, generated names and tokens are learned from the answers: wherever the recorded answer has one,
the seen answer has its own, and from then on that one stands for it, in requests too. So it does matter whether a
version stays or goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
WORD = re.compile(r"[\w-]+")
VERSION = re.compile(r"\d+")
GENERATED = re.compile(r"(kube-api-access|virt-launcher-[\w-]+)-[a-z0-9]{5}")
SHAPES = (
    (UID, "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\(\d+\)"), "(<version>)"),
    (re.compile(r"(?<=current: )\d+"), "<version>"),
    (re.compile(r"\bnode-?\d+\b"), "<node>"),
    (re.compile(r"^\d+s$"), "<age>"),
    (re.compile(r"(https?://)?127\.0\.0\.1:\d+"), "<address>"),
    # In messages that quote an object.
    (re.compile(r'\\*"managedFields\\*":\[.*?\],(?=\\*"name)'), ""),
    (re.compile(r'(?<=resourceVersion)(\\*":\\*")\d+'), r"\1<version>"),
)
LISTS = ("items", "rows")


class Chance:
    """What the recording calls by chance, and what it is called here.

    ``mixed``: exchanges of two recordings are played as one, so that one object has two recorded names.
    """

    def __init__(self, *, mixed: bool = False) -> None:
        self.mixed = mixed
        self.known: dict[str, str] = {}
        self._meant: dict[str, str] = {}
        self._lists: dict[str, str] = {}

    def learn(self, recorded: str, seen: str) -> bool:
        """False where one of both has stood for something else before."""
        if self.known.setdefault(recorded, seen) != seen:
            return False
        return self.mixed or self._meant.setdefault(seen, recorded) == recorded

    def here(self, value: Any) -> Any:
        """A recorded value as it is called here."""
        if isinstance(value, dict):
            return {self.here(key): self.here(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.here(item) for item in value]
        if not isinstance(value, str):
            return value
        return WORD.sub(lambda found: self.known.get(found[0], self._lists.get(found[0], found[0])), value)

    def differences(self, recorded: Any, seen: Any, path: str = "") -> Iterator[str]:
        """Each place where the seen value is another, as ``path: seen ..., recorded ...``."""
        if isinstance(recorded, dict) and isinstance(seen, dict):
            self._learn_names(recorded, seen)
            for key in {**recorded, **seen}:
                here = f"{path}.{key}" if path else key
                if key not in seen or key not in recorded:
                    yield f"{here}: seen {seen.get(key, 'nothing')!r}, recorded {recorded.get(key, 'nothing')!r}"
                else:
                    yield from self.differences(recorded[key], seen[key], here)
        elif isinstance(recorded, list) and isinstance(seen, list) and len(recorded) == len(seen):
            for index, (one, other) in enumerate(zip(recorded, seen, strict=True)):
                yield from self.differences(one, other, f"{path}[{index}]")
        elif not self._same(recorded, seen, path.rsplit(".", 1)[-1]):
            yield f"{path}: seen {seen!r}, recorded {recorded!r}"

    def _same(self, recorded: Any, seen: Any, field: str) -> bool:
        if not isinstance(recorded, str) or not isinstance(seen, str):
            return bool(recorded == seen and type(recorded) is type(seen))
        by_chance: object = UID.fullmatch(recorded) and UID.fullmatch(seen)
        if field == "resourceVersion":
            by_chance = VERSION.fullmatch(recorded) and VERSION.fullmatch(seen)
        elif GENERATED.fullmatch(recorded) and GENERATED.fullmatch(seen):
            by_chance = True
        if by_chance or (field in ("continue", "token") and recorded and seen):
            return self.learn(recorded, seen)
        return recorded == seen or normalised(self.here(recorded)) == normalised(seen)

    def _learn_names(self, recorded: Any, seen: Any) -> None:
        if recorded.get("kind") == seen.get("kind") == "APIResourceList":
            served(recorded, seen)
        keys = [key for value in (recorded, seen) for key in value if UID.fullmatch(key)]
        if len(keys) == 2 and len(recorded) == len(seen) == 1 and self.learn(*keys):
            recorded[keys[1]] = recorded.pop(keys[0])
        prefix = recorded.get("generateName")
        if prefix and seen.get("generateName") == prefix and str(seen.get("name")).startswith(prefix):
            self.learn(recorded["name"], seen["name"])
        if any(key in recorded for key in LISTS):
            self._learn_version(recorded.get("metadata"), seen.get("metadata"))
        if recorded.get("type") == "BOOKMARK" and isinstance(seen.get("object"), dict):
            self._learn_version(recorded["object"]["metadata"], seen["object"].get("metadata"))

    def _learn_version(self, recorded: Any, seen: Any) -> None:
        """That of a list or bookmark moves on with everything else in the store, which differs."""
        if all(isinstance(meta, dict) and meta.get("resourceVersion") for meta in (recorded, seen)):
            self._lists.setdefault(recorded.pop("resourceVersion"), seen.pop("resourceVersion"))


def normalised(text: str) -> str:
    for shape, word in SHAPES:
        text = shape.sub(word, text)
    return text


def served(recorded: Any, seen: Any) -> None:
    """Leaves the resources that both servers have, in one order and without the hash of how they are stored."""
    both = {item["name"] for item in recorded["resources"]} & {item["name"] for item in seen["resources"]}
    for found in (recorded, seen):
        kept = sorted((item for item in found["resources"] if item["name"] in both), key=lambda item: str(item["name"]))
        found["resources"] = [{key: item[key] for key in item if key != "storageVersionHash"} for item in kept]
