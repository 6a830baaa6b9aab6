# SPDX-License-Identifier: Apache-2.0
"""A kubeconfig for the fake API server."""

from __future__ import annotations

from pathlib import Path

import yaml

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
