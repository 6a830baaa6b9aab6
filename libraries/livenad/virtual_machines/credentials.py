"""Keys and passwords of a run: made anew for each, known to nobody else, never written to a log."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field


@dataclass(frozen=True)
class KeyPair:
    """An ed25519 key pair as OpenSSH text; ``public`` is one line, ``private`` a PEM block."""

    public: str
    private: str = field(repr=False)


def new_key_pair(comment: str) -> KeyPair:
    """A fresh ed25519 key pair; ``comment`` stands at the end of the public key."""
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
