# SPDX-License-Identifier: Apache-2.0
"""Certificate authorities as clusters have them: without key usages, and with an issuing one below the root."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_SOME_DAYS = datetime.timedelta(days=2)


class Authority:
    """An authority without key usages; ``below``: the one that signs it. ``ahead``: by how much its clock is ahead."""

    def __init__(
        self, name: str, below: Authority | None = None, ahead: datetime.timedelta = datetime.timedelta()
    ) -> None:
        self.ahead = ahead
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = below or self
        builder = _builder(self.name, signer.name, self.key)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self.certificate = builder.sign(signer.key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, name: str, certificate: Path, key_file: Path) -> None:
        """A certificate for a user, or for a server at 127.0.0.1, with the issuing one behind it."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, self.name, key, self.ahead)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        signed = builder.sign(self.key, hashes.SHA256())
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + self.pem)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    def server_side(self, folder: Path) -> ssl.SSLContext:
        """A server's TLS, which takes client certificates of this authority."""
        certificate, key = folder / "server.crt", folder / "server.key"
        self.issue("server", certificate, key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(cadata=self.pem.decode())
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_mode = ssl.CERT_OPTIONAL
        return context


def _builder(
    name: x509.Name,
    signer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    ahead: datetime.timedelta = datetime.timedelta(),
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC) + ahead
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SOME_DAYS)
        .not_valid_after(now + _SOME_DAYS)
    )
