# SPDX-License-Identifier: Apache-2.0
"""TLS that verifies alike by every version of Python, as the programs of a cluster do."""

from __future__ import annotations

import ssl
from pathlib import Path


def client_side(cafile: str | Path | None = None) -> ssl.SSLContext:
    """For who dials: trusts these authorities, those of the system where none is given."""
    return _as_go_verifies(ssl.create_default_context(cafile=cafile))


def server_side(certificate: str | Path, key: str | Path | None = None) -> ssl.SSLContext:
    """For the side that is dialed, with its certificate and key; which clients it lets in is up to the caller."""
    context = _as_go_verifies(ssl.create_default_context(ssl.Purpose.CLIENT_AUTH))
    context.load_cert_chain(certificate, key)
    return context


def _as_go_verifies(context: ssl.SSLContext) -> ssl.SSLContext:
    """Python 3.13 wants extensions that certificates of clusters often lack; Go does not."""
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
