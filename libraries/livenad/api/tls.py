# SPDX-License-Identifier: Apache-2.0
"""TLS to the API server: verified alike by every version of Python, as kubectl verifies."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path
from typing import Any

from livenad.errors import BadInput


def verifying_context(cafile: str | None = None, cadata: str | bytes | None = None) -> ssl.SSLContext:
    """A context that trusts these authorities, those of the system where none is given.

    Python 3.13 wants key usages that authorities of clusters often lack, and Python 3.11 and 3.12 want the root itself
    where only the issuing authority is given; kubectl wants neither.
    """
    context = ssl.create_default_context(cafile=cafile, cadata=cadata)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def context_of(configuration: Any, source: str, *, verify: bool) -> ssl.SSLContext:
    """TLS as the client's configuration says: its authorities, its client certificate. BadInput names what is wrong."""
    authorities = configuration.ssl_ca_cert or None
    try:
        context = verifying_context(authorities, configuration.ca_cert_data or None)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise BadInput(f"{source}: its cluster authority ({authorities}) cannot be used: {error}") from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        try:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{source}: its client certificate ({configuration.cert_file}) and key ({configuration.key_file}) "
                f"cannot be used: {error}; log in again, or have them issued again"
            ) from error
    return context


def fingerprint(configuration: Any) -> str:
    """Changes with the content of certificates and keys, under whatever name they lie."""
    digest = hashlib.sha256(str(configuration.ca_cert_data).encode())
    for name in (configuration.ssl_ca_cert, configuration.cert_file, configuration.key_file):
        try:
            content = Path(name).read_bytes() if name else b""
        except OSError as error:
            content = str(error).encode()
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()
