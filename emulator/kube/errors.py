# SPDX-License-Identifier: Apache-2.0
"""The exception for errors of the Kubernetes API, as a ``Status`` object describes them."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A request that the API refused.

    ``code`` is the HTTP status, ``reason`` the machine-readable reason ("" where the real API server sends none),
    ``message`` the sentence, ``details`` the ``Status.details`` object or None where the real one leaves it out.
    """

    def __init__(self, code: int, reason: str, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> dict[str, Any]:
        """The ``Status`` object that goes over the wire."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.details is not None:
            body["details"] = self.details
        body["code"] = self.code
        return body

    @classmethod
    def from_status(cls, code: int, body: Any) -> ApiError:
        """Reads a ``Status`` object; any other body becomes the message."""
        if isinstance(body, dict) and body.get("kind") == "Status":
            return cls(
                int(body.get("code") or code), body.get("reason", ""), body.get("message", ""), body.get("details")
            )
        return cls(code, "", str(body).strip())
