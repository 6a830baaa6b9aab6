# SPDX-License-Identifier: Apache-2.0
"""A client of a cluster that is a dictionary of answers: no server, no socket, each answer decoded like a real one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from livenad.api.client import Cluster, Verb
from livenad.api.kinds import ACCESS_REVIEW, SELF_REVIEW, Object
from urllib3.exceptions import HTTPError


class _Nothing:
    def request(self, *_: Any, **__: Any) -> Any:
        raise HTTPError("there is no server")


class _Connection:
    server = "https://canned"
    source = "canned answers"
    pool = _Nothing()

    def headers(self, *_: float) -> dict[str, str]:
        return {}


class CannedApi(Cluster):
    """``answers`` are bodies as bytes, by path. Every other path is not found. ``asked`` are the requests, in order."""

    def __init__(self, answers: Mapping[str, Object]) -> None:
        super().__init__(cast(Any, _Connection()))
        self.asked: list[tuple[Verb, str, dict[str, str]]] = []
        reviews = {
            ACCESS_REVIEW.path(): {"kind": "SelfSubjectAccessReview", "status": {"allowed": True}},
            SELF_REVIEW.path(): {"kind": "SelfSubjectReview", "status": {"userInfo": {"username": "alice"}}},
        }
        self._answers = {path: json.dumps(answer).encode() for path, answer in {**reviews, **answers}.items()}

    def _send(self, verb: Verb, path: str, query: Mapping[str, str] | None, *_: Any, **__: Any) -> Any:
        self.asked.append((verb, path, dict(query or {})))
        if path not in self._answers:
            return 404, {}, {"kind": "Status", "code": 404, "message": f"{path} not found"}
        answer = json.loads(self._answers[path])
        if query and "limit" in query:
            answer = _page(answer, int(query["limit"]), int(query.get("continue", 0)))
        return 200, {}, answer


def _page(answer: Object, size: int, start: int) -> Object:
    items = answer["items"]
    left = max(0, len(items) - start - size)
    more = {"continue": str(start + size), "remainingItemCount": left} if left else {}
    return {"items": items[start : start + size], "metadata": {**answer["metadata"], **more}}
