# SPDX-License-Identifier: Apache-2.0
"""Defects of the API server as a lab may have them: slow, busy, forgetful."""

from __future__ import annotations

from ..apiserver.api_faults import ApiFault, every
from ..fault_points import Defect
from ..kube.errors import ApiError


def _api_fails_now_and_then() -> ApiFault:
    return ApiFault(error=ApiError(500, "InternalError", "Internal error occurred: etcdserver: leader changed"))


API_FAILS_NOW_AND_THEN = Defect(
    name="api-fails-now-and-then",
    sentence="Each seventh request to the API server fails with 500.",
    rows=(),
    point="api.fault",
    change=every(7, _api_fails_now_and_then),
    fault="lab",
)


def _api_is_slow() -> ApiFault:
    return ApiFault(seconds=0.4)


API_IS_SLOW = Defect(
    name="api-is-slow",
    sentence="The API server takes 400 ms longer for each request.",
    rows=(),
    point="api.fault",
    change=every(1, _api_is_slow),
    fault="lab",
)


def _api_is_unavailable_now_and_then() -> ApiFault:
    return ApiFault(error=ApiError(503, "ServiceUnavailable", "apiserver not ready"))


API_IS_UNAVAILABLE_NOW_AND_THEN = Defect(
    name="api-is-unavailable-now-and-then",
    sentence="Each seventh request to the API server is answered with 503.",
    rows=(),
    point="api.fault",
    change=every(7, _api_is_unavailable_now_and_then),
    fault="lab",
)


def _api_throttles() -> ApiFault:
    return ApiFault(error=ApiError(429, "TooManyRequests", "the server has received too many requests"))


API_THROTTLES = Defect(
    name="api-throttles",
    sentence="Each fifth request to the API server is turned away with 429.",
    rows=(),
    point="api.fault",
    change=every(5, _api_throttles),
    fault="lab",
)


def _edits_conflict() -> ApiFault:
    return ApiFault(error=ApiError(409, "Conflict", "the object has been modified"))


EDITS_CONFLICT = Defect(
    name="edits-conflict",
    sentence="Each second change of an object is refused with 409.",
    rows=(),
    point="api.fault",
    change=every(2, _edits_conflict, "patch", "update"),
    fault="lab",
)


def _watches_expire() -> ApiFault:
    return ApiFault(error=ApiError(410, "Expired", "too old resource version"))


WATCHES_EXPIRE = Defect(
    name="watches-expire",
    sentence="Each second watch is refused with 410: the resource version is too old.",
    rows=(),
    point="api.fault",
    change=every(2, _watches_expire, "watch"),
    fault="lab",
)
