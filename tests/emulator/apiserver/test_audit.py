# SPDX-License-Identifier: Apache-2.0
"""The audit log tells who asked for what, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.apiserver.users import ADMIN
from emulator.kube.errors import ApiError

from .harness import config_map, running

DONE = "ResponseComplete"


def events(file: Path, user: str) -> Iterator[tuple[Any, ...]]:
    for line in file.read_text().splitlines():
        event = json.loads(line)
        assert (event["kind"], event["apiVersion"]) == ("Event", "audit.k8s.io/v1")
        if event["user"]["username"] == user:
            about = event.get("objectRef", {})
            place = "/".join(about[key] for key in ("namespace", "resource", "name", "subresource") if key in about)
            yield event["stage"], event["verb"], place or event["requestURI"], event["responseStatus"]["code"]


async def test_requests_are_written_with_their_user_object_and_outcome(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    async with running(tmp_path, audit=file) as api:
        await api.admin.create("configmaps", config_map("mine"))
        await api.admin.create("configmaps", {"metadata": {"generateName": "some-", "namespace": "demo"}})
        await api.admin.delete("configmaps", "mine", "demo")
        with pytest.raises(ApiError):
            await api.alice.create("secrets", config_map("refused"))
        async with api.admin.session.get(f"{api.url}/version"):
            pass
    assert list(events(file, ADMIN.name))[1:] == [
        (DONE, "create", "demo/configmaps/mine", 201),
        (DONE, "create", "demo/configmaps", 201),
        (DONE, "delete", "demo/configmaps/mine", 200),
        (DONE, "get", "/version", 200),
    ]
    assert list(events(file, "alice")) == [(DONE, "create", "demo/secrets/refused", 403)]


async def test_watch_is_written_when_it_starts_and_not_again(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    async with running(tmp_path, audit=file) as api:
        async with api.admin.session.get(f"{api.url}/api/v1/pods?watch=1&timeoutSeconds=1") as watch:
            before = list(events(file, ADMIN.name))
            assert before[-1] == ("ResponseStarted", "watch", "pods", 200)
            await watch.read()
        assert list(events(file, ADMIN.name)) == before
