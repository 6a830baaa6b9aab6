# SPDX-License-Identifier: Apache-2.0
"""What each way in is tried by, and how a kubeconfig is changed for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import NODE, SELF_REVIEW, dig
from livenad.api.temporary_watch import following
from livenad.guest.guests import Guests
from livenad.guest.streams import StreamRefused, open_console

Config = dict[str, Any]
Edit = Callable[[Config], None]

ADMIN = "embedded-admin"


def opened(path: Path | str, context: str = "", **options: Any) -> Cluster:
    return Cluster(open_connection(str(path), context, **options), patience=5)


def whoami(cluster: Cluster) -> str:
    answer = cluster.post_review(SELF_REVIEW, {"apiVersion": SELF_REVIEW.api_version, "kind": SELF_REVIEW.name})
    return str(dig(answer, "status", "userInfo", "username"))


def stream_status(cluster: Cluster) -> int:
    """How a stream to a VMI that is not there is answered: 404 when it came through, was verified and authenticated."""
    with pytest.raises(StreamRefused) as refused:
        open_console(cluster.stream_options(), "default", "nobody", 10)
    assert refused.value.status, str(refused.value)
    return refused.value.status


def assert_in(cluster: Cluster, user: str = ADMIN) -> None:
    """Requests, watches and streams are taken, as this user's."""
    assert whoami(cluster) == user
    with following(cluster, (NODE, None, "")) as history:
        assert len(history.all(NODE)) == 2
    assert stream_status(cluster) == 404


def watch_once(cluster: Cluster) -> None:
    with following(cluster, (NODE, None, "")) as history:
        assert len(history.all(NODE)) == 2


def stream_once(cluster: Cluster) -> None:
    """As a guest's shell opens one."""
    nothing: Any = None
    with pytest.raises(StreamRefused) as refused:
        guests = Guests(cluster, nothing, nothing, print)
        guests._open(lambda options, left: open_console(options, "default", "nobody", left), 10)
    assert refused.value.status == 404


def with_user(user: Config) -> Edit:
    def edit(config: Config) -> None:
        config["users"] = [{"name": ADMIN, "user": user}]

    return edit


def with_cluster(**changes: Any) -> Edit:
    def edit(config: Config) -> None:
        entry = config["clusters"][0]["cluster"]
        entry |= changes
        config["clusters"][0]["cluster"] = {key: value for key, value in entry.items() if value is not None}

    return edit
