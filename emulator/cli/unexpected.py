# SPDX-License-Identifier: Apache-2.0
"""Unexpected errors, told in one line."""

from __future__ import annotations

import errno
import os
import traceback

BROKEN = 70

_FULL = {errno.ENOSPC, errno.EDQUOT}
_NOWHERE = "No usable temporary directory"
"""What Python says when all temporary folders are full."""


class UsageError(Exception):
    """A wrong word on the command line; the message names it and what was expected."""


def first_of(error: BaseException) -> BaseException:
    """The error itself, or the first one of a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def told(error: BaseException) -> str:
    """The error in one line: what, where in the code, and what to do."""
    error = first_of(error)
    if isinstance(error, OSError) and (error.errno in _FULL or _NOWHERE in str(error)):
        where = error.filename or os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108
        return (
            f"the files of the embedded cluster cannot be written to {where} ({error.strerror}); make room there, or "
            "set XDG_RUNTIME_DIR and TMPDIR to another folder"
        )
    if isinstance(error, MemoryError):
        return "this machine is out of memory; end other programs, or start fewer nodes"
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return f"the embedded cluster broke: {words}{place}; this is an error of the embedded cluster, please report it"
