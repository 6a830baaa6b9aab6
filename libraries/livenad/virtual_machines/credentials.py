# SPDX-License-Identifier: Apache-2.0
"""Keys and passwords of a run: generated for each run, used only by it, never logged."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from pathlib import Path

from livenad.errors import TestError
from livenad.model import GuestLogin


@dataclass(frozen=True)
class KeyPair:
    """An ed25519 key pair as OpenSSH text; ``public`` is one line, ``private`` a PEM block."""

    public: str
    private: str = field(repr=False)


def new_key_pair(comment: str) -> KeyPair:
    """A fresh ed25519 key pair; ``comment`` is the end of the public key."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - slow to import, needed late
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return KeyPair(f"{public.decode()} {comment}", private.decode())


def new_password() -> str:
    """Twenty letters and digits: strong, and safe on any keyboard map and in any shell."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(20))


def given_login(vm: str, user: str, password: str, private_key: Path | None) -> GuestLogin:
    """The login of a guest that the suite did not set up; without ``user``, no login.

    Raises TestError for an incomplete login, or a key file that cannot be read.
    """
    if not user:
        if password or private_key:
            raise TestError(f"VM {vm}: a password or key is given without user=<name of the guest's user>")
        return NO_LOGIN
    if not password and private_key is None:
        raise TestError(f'VM {vm}: user "{user}" is given without password=<password> or private_key=<file>')
    return GuestLogin(user, password, _read_key(vm, private_key) if private_key else "", "")


def _read_key(vm: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise TestError(f"VM {vm}: private key file {path} cannot be read: {why}") from None
    if "PRIVATE KEY" not in text:
        raise TestError(
            f"VM {vm}: {path} is not a private key; expected a PEM or OpenSSH private key without passphrase"
        )
    return text


NO_LOGIN = GuestLogin("", "", "", "")
"""The login of a guest for which none was given."""
