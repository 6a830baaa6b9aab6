# SPDX-License-Identifier: Apache-2.0
"""TLS is verified everywhere, unless a variable says by name that it shall not be."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from livenad.errors import LabError
from livenad.guest.streams import StreamRefused, open_console

from .uses import Edit, assert_in, opened, whoami, with_cluster


@pytest.mark.circumstance(
    "the certificate of the API server is by an unknown authority",
    topic="connection",
    sees="check certificate-authority-data",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_server_that_nobody_vouches_for_is_refused_everywhere(edited: Callable[[Edit], Path]) -> None:
    cluster = opened(edited(with_cluster(**{"certificate-authority-data": None})))
    assert cluster.connection.unverified == ""
    with pytest.raises(LabError, match=r"TLS failed: .*check certificate-authority-data"):
        whoami(cluster)
    with pytest.raises(StreamRefused, match="certificate verify failed"):
        open_console(cluster.stream_options(), "default", "nobody", 10)


def test_certificate_of_another_name_is_refused_everywhere(edited: Callable[[Edit], Path]) -> None:
    cluster = opened(edited(with_cluster(**{"tls-server-name": "elsewhere.example"})))
    with pytest.raises(LabError, match="TLS failed"):
        whoami(cluster)
    with pytest.raises(StreamRefused, match="certificate verify failed"):
        open_console(cluster.stream_options(), "default", "nobody", 10)


def test_tls_server_name_is_what_the_certificate_must_name(edited: Callable[[Edit], Path]) -> None:
    assert_in(opened(edited(with_cluster(**{"tls-server-name": "kubernetes.default.svc"}))))


@pytest.mark.parametrize("by_kubeconfig", [True, False])
def test_unverified_tls_is_a_choice_with_a_name(edited: Callable[[Edit], Path], *, by_kubeconfig: bool) -> None:
    skip = {"insecure-skip-tls-verify": True} if by_kubeconfig else {}
    path = edited(with_cluster(**{"certificate-authority-data": None}, **skip))
    cluster = opened(path, verify=by_kubeconfig)
    named = f"{path} says insecure-skip-tls-verify" if by_kubeconfig else "variable VERIFY_TLS is no"
    assert cluster.connection.unverified == named
    assert cluster.connection.ssl_context().verify_mode is ssl.CERT_NONE
    assert_in(cluster)
