"""What the tests of the cluster side share: a fake API server, a kubeconfig for it, recorded histories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from livenad.api.client import Cluster
from livenad.api.connection import open_connection

from tests.unit.cluster.fake_api import FakeApi

TOKEN = "a-token-of-the-tests"


def write_kubeconfig(path: Path, server: str) -> Path:
    """A kubeconfig with the contexts "here" and "there"."""
    entry = {"name": "here", "context": {"cluster": "fake", "user": "tester"}}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fake", "cluster": {"server": server}}],
        "users": [{"name": "tester", "user": {"token": TOKEN}}],
        "contexts": [entry, {**entry, "name": "there"}],
        "current-context": "here",
    }
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as server:
        yield server


@pytest.fixture
def kubeconfig(api: FakeApi, tmp_path: Path) -> Path:
    return write_kubeconfig(tmp_path / "kubeconfig", api.url)


@pytest.fixture
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    opened = Cluster(open_connection(str(kubeconfig)), patience=5)
    yield opened
    opened.close()
