# SPDX-License-Identifier: Apache-2.0
"""Content negotiation: the media type and form of an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from emulator.kube.errors import ApiError

Form = Literal["object", "Table", "PartialObjectMetadata", "PartialObjectMetadataList"]
JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
ACCEPTED = f"{JSON}, {YAML}, {PROTOBUF}"
_TRANSFORMS: tuple[Form, ...] = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")


@dataclass(frozen=True)
class Accepted:
    """The chosen media type and form; ``version`` is that of meta.k8s.io for a transformed answer."""

    media: str = JSON
    form: Form = "object"
    version: str = "v1"


PLAIN = Accepted()


def negotiate(header: str, *, custom: bool = False) -> Accepted:
    """The first clause of an Accept header that this server can answer; ApiError 406 if there is none."""
    if not header or header == JSON:
        return PLAIN
    for clause in header.split(","):
        chosen = _clause(clause)
        if chosen is not None:
            return chosen
    raise not_acceptable(header, custom=custom)


def _clause(clause: str) -> Accepted | None:
    media, *pairs = (part.strip() for part in clause.split(";"))
    parameters = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if media in ("*/*", "application/*"):
        return PLAIN
    if media not in (JSON, YAML):
        return None
    wanted = parameters.get("as", "")
    if not wanted:
        return Accepted(media)
    for form in _TRANSFORMS:
        if form == wanted and parameters.get("g") == "meta.k8s.io" and parameters.get("v") in ("v1", "v1beta1"):
            return Accepted(media, form, parameters["v"])
    return None


def not_acceptable(header: str, *, custom: bool) -> ApiError:
    """406 as the real server words it for built-in and for custom resources."""
    if custom or ";as=" in header:
        return ApiError(406, "NotAcceptable", f"only the following media types are accepted: {ACCEPTED}")
    return ApiError(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {ACCEPTED}", {})
