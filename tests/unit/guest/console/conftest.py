# SPDX-License-Identifier: Apache-2.0
"""What the console tests leave on this machine, removed."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

TMP = Path("/tmp")  # noqa: S108


@pytest.fixture
def console_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The "guests" of these tests share the machine's /tmp, where a killed one cannot clean up behind itself.

    Only the sessions of this test are removed: others run beside it.
    """
    sessions: list[str] = []
    token_hex = secrets.token_hex

    def remembered(size: int | None = None) -> str:
        sessions.append(token_hex(size))
        return sessions[-1]

    monkeypatch.setattr(secrets, "token_hex", remembered)
    yield
    for session in sessions:
        for directory in TMP.glob(f".console-{session}-*"):
            shutil.rmtree(directory, ignore_errors=True)
