# SPDX-License-Identifier: Apache-2.0
"""A cluster whose tokens may be short-lived, and kubeconfigs of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.embedded import embedded_cluster

from .accounts import Account
from .uses import Edit

_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "HTTP_PROXY", "http_proxy", "all_proxy")


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with embedded_cluster(tmp_path_factory.mktemp("cluster"), "--shortest-token", "1") as path:
        yield path


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def edited(kubeconfig: Path, tmp_path: Path) -> Callable[[Edit], Path]:
    """A copy of the kubeconfig with its first cluster and user changed."""

    def make(edit: Edit) -> Path:
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
        edit(config)
        path = tmp_path / "edited"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return path

    return make


@pytest.fixture
def account(kubeconfig: Path, request: pytest.FixtureRequest) -> Account:
    return Account(kubeconfig, request.node.name.removeprefix("test_").replace("_", "-")[:40].strip("-"))
