# SPDX-License-Identifier: Apache-2.0
"""The ways in which a webhook refuses a request."""

from __future__ import annotations

from typing import Any

from emulator.kube.errors import ApiError

Obj = dict[str, Any]

VMI_UPDATE = "virtualmachineinstances-update-validator.kubevirt.io"
INVALID = "FieldValueInvalid"
REQUIRED = "FieldValueRequired"
DUPLICATE = "FieldValueDuplicate"
UNSUPPORTED = "FieldValueNotSupported"
FORBIDDEN = "FieldValueForbidden"


def cause(reason: str, message: str, field: str = "") -> Obj:
    found = {"reason": reason, "message": message}
    if field:
        found["field"] = field
    return found


def denied(webhook: str, message: str) -> ApiError:
    """A plain refusal: 400 without a reason."""
    return ApiError(400, "", f'admission webhook "{webhook}" denied the request: {message}')


def refuse(webhook: str, causes: list[Obj]) -> None:
    """Raises 422 with all causes, if there are any; its message joins theirs."""
    if causes:
        message = ", ".join(c["message"] for c in causes)
        text = f'admission webhook "{webhook}" denied the request: {message}'
        raise ApiError(422, "Invalid", text, {"causes": causes})
