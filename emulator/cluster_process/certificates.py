# SPDX-License-Identifier: Apache-2.0
"""The certificate authorities of a cluster and the certificates that they sign."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .identities import ADMIN, MASTERS

if TYPE_CHECKING:
    import trustme

HANDLER_SERVER = "kubevirt.io:system:node:virt-handler"
HANDLER_CLIENT = "kubevirt.io:system:client:virt-handler"


@dataclass(frozen=True)
class Certificates:
    """PEM files. There are four authorities: for the API, for its clients (the administrator is one of them), for the
    connections between virt-api and the stream endpoints, and for the router.
    """

    ca: Path
    api_cert: Path
    api_key: Path
    client_ca: Path
    admin_cert: Path
    admin_key: Path
    stream_ca: Path
    handler_cert: Path
    handler_key: Path
    virt_api_cert: Path
    virt_api_key: Path
    router_ca: Path
    router_cert: Path
    router_key: Path


def write_certificates(directory: Path) -> Certificates:
    """Creates all certificates in ``directory``."""
    # The processes of a cluster only read them, and do without this import.
    import trustme  # noqa: PLC0415

    directory.mkdir(mode=0o700, exist_ok=True)
    files = Certificates(
        **{name: directory / f"{name.replace('_', '-')}.pem" for name in Certificates.__dataclass_fields__}
    )
    api = trustme.CA(organization_name="embedded cluster, not a real one")
    api.cert_pem.write_to_path(files.ca)
    serving = api.issue_cert("localhost", "127.0.0.1", "::1", "kubernetes", "kubernetes.default.svc")
    _write(serving, files.api_cert, files.api_key)
    clients = trustme.CA(organization_name="embedded cluster, clients")
    clients.cert_pem.write_to_path(files.client_ca)
    admin = clients.issue_cert(common_name=ADMIN.user, organization_name=MASTERS)
    _write(admin, files.admin_cert, files.admin_key)
    streams = trustme.CA(organization_name="embedded cluster, kubevirt")
    streams.cert_pem.write_to_path(files.stream_ca)
    _write(streams.issue_cert("virt-handler", common_name=HANDLER_SERVER), files.handler_cert, files.handler_key)
    client = streams.issue_cert("virt-api", common_name=HANDLER_CLIENT)
    _write(client, files.virt_api_cert, files.virt_api_key)
    router = trustme.CA(organization_name="embedded cluster, ingress")
    router.cert_pem.write_to_path(files.router_ca)
    _write(router.issue_cert("localhost", "127.0.0.1"), files.router_cert, files.router_key)
    return files


def _write(issued: trustme.LeafCert, cert: Path, key: Path) -> None:
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    key.chmod(0o600)
