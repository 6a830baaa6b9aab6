# SPDX-License-Identifier: Apache-2.0
"""Certificates without the extensions that only some versions of Python want."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from emulator.kube import tls
from tests.unit.support.authority import Authority


@pytest.mark.parametrize("strict", [False, True])
def test_a_certificate_without_key_usages_is_taken_by_every_python(
    strict: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.13 asks for strictness by itself; others stand for it here."""
    default = ssl.create_default_context

    def create(*args: object, **options: object) -> ssl.SSLContext:
        context = default(*args, **options)  # type: ignore[arg-type]
        context.verify_flags |= ssl.VERIFY_X509_STRICT if strict else 0
        return context

    monkeypatch.setattr(ssl, "create_default_context", create)
    authority = Authority("plain")
    files = tmp_path / "server.crt", tmp_path / "server.key"
    authority.issue("server", *files)
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    ours, theirs = tls.server_side(*files), tls.client_side(tmp_path / "ca.crt")
    ours.load_verify_locations(tmp_path / "ca.crt")
    ours.verify_mode = ssl.CERT_REQUIRED
    theirs.load_cert_chain(*files)
    assert _shaken_hands(ours, theirs)


def _shaken_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> bool:
    """Both sides of a handshake in memory; ssl.SSLError where one refuses the other."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(back, there, server_hostname="127.0.0.1"), server.wrap_bio(there, back, server_side=True)]
    for _ in range(4):
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                continue
    return not sides
