# SPDX-License-Identifier: Apache-2.0
"""Credentials that end, or are refused, are renewed: for requests, watches and streams."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .accounts import Account
from .plugins import plugin, runs, stamp
from .uses import Edit, assert_in, opened, stream_once, watch_once, whoami, with_user


def test_exec_plugin_is_asked_again_when_its_credentials_expire(
    edited: Callable[[Edit], Path], account: Account, tmp_path: Path
) -> None:
    first = {"token": account.token(), "expirationTimestamp": stamp(-1)}
    second = {"token": account.token(), "expirationTimestamp": stamp(3600)}
    cluster = opened(edited(with_user(plugin(tmp_path, first, second))))
    assert_in(cluster, account.user)
    assert cluster.connection.headers()["Authorization"] == f"Bearer {second['token']}"
    assert runs(tmp_path) == 2


def test_exec_plugin_is_asked_again_when_its_token_is_refused(
    edited: Callable[[Edit], Path], account: Account, tmp_path: Path
) -> None:
    old = account.token()
    account.revoke()
    cluster = opened(edited(with_user(plugin(tmp_path, {"token": old}, {"token": account.token()}))))
    assert_in(cluster, account.user)
    assert runs(tmp_path) == 2


def test_rotated_token_file_is_read_again_by_requests_watches_and_streams(
    edited: Callable[[Edit], Path], account: Account, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(account.token(), encoding="utf-8")
    path = edited(with_user({"tokenFile": str(file)}))
    for use in (whoami, watch_once, stream_once):
        cluster = opened(path)
        assert whoami(cluster) == account.user
        account.revoke()
        file.write_text(account.token(), encoding="utf-8")
        use(cluster)
        assert cluster.connection.headers()["Authorization"] == f"Bearer {file.read_text(encoding='utf-8')}"


@pytest.mark.circumstance(
    "a bound token ends during the run",
    topic="connection",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_token_that_ends_during_a_watch_is_renewed_for_the_next_one(
    edited: Callable[[Edit], Path], account: Account, tmp_path: Path
) -> None:
    """As with bound tokens of a pod: the old one ends, and the file has had a new one for some time."""
    file = tmp_path / "token"
    file.write_text(account.token(seconds=2), encoding="utf-8")
    cluster = opened(edited(with_user({"tokenFile": str(file)})))
    first = cluster.connection.headers()["Authorization"]
    assert whoami(cluster) == account.user
    file.write_text(account.token(), encoding="utf-8")
    deadline = time.monotonic() + 30
    while cluster.connection.headers()["Authorization"] == first and time.monotonic() < deadline:
        watch_once(cluster)
    assert cluster.connection.headers()["Authorization"] != first
    assert_in(cluster, account.user)


def test_many_threads_renew_once(edited: Callable[[Edit], Path], account: Account, tmp_path: Path) -> None:
    old = account.token()
    account.revoke()
    cluster = opened(edited(with_user(plugin(tmp_path, {"token": old}, {"token": account.token()}))))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: whoami(cluster), range(8))) == {account.user}
    assert runs(tmp_path) == 2
