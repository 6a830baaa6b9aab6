# SPDX-License-Identifier: Apache-2.0
"""No exception from below tells a credential, however it comes to be."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml
from KubeVirtLibrary.base import KeywordComponent, LibraryBase
from livenad.api.client import Cluster
from livenad.api.connection import open_connection
from livenad.api.kinds import NODE
from livenad.api.kubeconfig import _complaints
from livenad.errors import BadInput, LabError
from livenad.secret_text import cleanse, remember
from robot.api.deco import keyword

from tests.unit.support.fake_api import FakeApi
from tests.unit.support.kubeconfig import write_kubeconfig

SECRET = "s3cr3t-0f-a-person"
ROOT = Path(__file__).parents[3]


def written(path: Path, server: str, user: dict[str, Any], **more: Any) -> str:
    config = yaml.safe_load(write_kubeconfig(path, server).read_text(encoding="utf-8"))
    config["users"][0]["user"] = user
    path.write_text(yaml.safe_dump({**config, **more}), encoding="utf-8")
    return str(path)


@pytest.mark.circumstance(
    "the file of a token ends in a line end",
    topic="connection",
    sees="",
    verdict="PASS",
    source="tried on commit 34c8c6b",
)
def test_token_file_that_ends_in_a_line_end(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n", encoding="utf-8")
    connection = open_connection(written(tmp_path / "config", api.url, {"tokenFile": "token"}))
    assert Cluster(connection, 2).list(NODE).items == []
    assert api.seen[0].headers["Authorization"] == f"Bearer {SECRET}"
    assert connection.stream_options().headers["Authorization"] == f"Bearer {SECRET}"


@pytest.mark.circumstance(
    "a token has a character that no header can have",
    topic="connection",
    sees="has a character that no header can have",
    verdict="LAB ERROR",
    source="tried on commit 34c8c6b",
)
def test_token_that_no_header_can_have_is_refused_unseen(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n{SECRET}\n", encoding="utf-8")
    cluster = Cluster(open_connection(written(tmp_path / "config", api.url, {"tokenFile": "token"})), 2)
    with pytest.raises(BadInput, match="has a character that no header can have") as caught:
        cluster.list(NODE)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "user",
    [
        {"token": SECRET, "exec": {"command": "true"}, "client-certificate": "no/such/file"},
        {"token": SECRET, "client-certificate-data": "!"},
        {"username": "me", "password": SECRET, "client-key-data": "?"},
        {"auth-provider": {"name": "gcp", "config": {"refresh-token": SECRET, "expiry": "never"}}},
        {"exec": {"command": "true", "env": [{"name": "LAB_TOKEN", "value": SECRET}]}},
    ],
)
def test_kubeconfig_that_cannot_be_used(tmp_path: Path, user: dict[str, Any]) -> None:
    path = written(tmp_path / "config", "https://127.0.0.1:9", user)
    try:
        open_connection(path)
    except LabError as error:
        assert SECRET not in "".join(traceback.format_exception(error))


def test_entry_that_the_client_quotes_whole(tmp_path: Path) -> None:
    """The client names an entry by its path and all its content."""
    entry = {"name": "tester", "user": {"token": SECRET, "exec": {"command": "true", "args": 1}}}
    path = written(tmp_path / "config", "https://127.0.0.1:9", {}, users=[entry], clusters=[{"name": "fake"}])
    with pytest.raises(LabError) as caught:
        open_connection(path)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_exec_plugin_that_tells_a_secret_when_it_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "sh",
            "args": ["-c", 'echo "refused: $LAB_TOKEN" >&2; exit 1'],
            "env": [{"name": "LAB_TOKEN", "value": SECRET}],
        }
    }
    with caplog.at_level(logging.DEBUG), pytest.raises(BadInput, match=r"refused: \[removed\]"):
        open_connection(written(tmp_path / "config", "https://127.0.0.1:9", user))
    assert SECRET not in caplog.text


def test_what_a_plugin_complains_of_is_told_of_its_own_connection(tmp_path: Path) -> None:
    """While another thread reads the credentials of another one."""
    plugin = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", "echo gone >&2; exit 1"]}
    of_another: list[str] = []
    with _complaints(of_another), pytest.raises(BadInput, match=r"gave no credentials: .*gone"):
        open_connection(written(tmp_path / "config", "https://127.0.0.1:9", {"exec": plugin}))
    assert not of_another


def test_password_of_a_proxy(tmp_path: Path) -> None:
    config = yaml.safe_load(write_kubeconfig(tmp_path / "config", "https://127.0.0.1:9").read_text(encoding="utf-8"))
    config["clusters"][0]["cluster"]["proxy-url"] = f"http://lab:{SECRET}@"
    (tmp_path / "config").write_text(yaml.safe_dump(config), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        open_connection(str(tmp_path / "config"))
    assert SECRET not in "".join(traceback.format_exception(caught.value))


class Stubborn(Exception):
    def __str__(self) -> str:
        return f"it was {SECRET}"


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"Invalid header value b'Bearer {SECRET}\\n'"),
        ValueError("Invalid header value", f"Bearer {SECRET}".encode()),
        FileNotFoundError(2, f"no {SECRET}", f"/tmp/{SECRET}"),  # noqa: S108
        ExceptionGroup("several", [KeyError(SECRET)]),
        Stubborn(),
        AssertionError(f"expected {SECRET}"),
    ],
)
def test_exception_that_leaves_a_keyword(error: Exception) -> None:
    remember(SECRET)

    class Component(KeywordComponent):
        @keyword
        def fail(self) -> None:
            try:
                raise RuntimeError(f"below: {SECRET}")
            except RuntimeError:
                raise error  # noqa: B904 - what came before is told by Robot, too

    with pytest.raises(Exception) as caught:
        LibraryBase(Component).run_keyword("fail", [])
    assert isinstance(caught.value, type(error) if not isinstance(error, Stubborn) else RuntimeError)
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    assert "[removed]" in told


def test_lab_error_made_of_a_foreign_one() -> None:
    remember(SECRET)
    assert str(LabError(f"it broke: {SECRET}")) == "LAB ERROR: it broke: [removed]"


def test_exception_without_secrets_stays_itself() -> None:
    error = KeyError("name")
    assert cleanse(error) is error
    assert error.args == ("name",)


@pytest.mark.parametrize("where", ["raise error", "threading.Thread(target=fail).start()"])
def test_exception_that_ends_a_process_or_a_thread(where: str) -> None:
    program = f"""
import threading
from livenad.secret_text import remember
remember("{SECRET}")
error = ValueError("it was {SECRET[:5]}" + "{SECRET[5:]}")
def fail():
    raise error
{where}
"""
    environment = {"PYTHONPATH": str(ROOT / "libraries")}
    told = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    ).stderr
    assert "ValueError: it was [removed]" in told
