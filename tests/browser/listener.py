# SPDX-License-Identifier: Apache-2.0
"""A listener of Robot: writes every secret of the run into a file outside of the results, for the test to look for."""

from __future__ import annotations

import base64
import gc
import os
from pathlib import Path
from typing import Any

import yaml


class SecretsListener:
    """Looks whenever a keyword has ended; guests and their keys come and go with each suite."""

    ROBOT_LISTENER_API_VERSION = 3

    def __init__(self, file: str) -> None:
        self._file = Path(file)
        self._known: set[str] = set()

    def end_library_keyword(self, data: Any, implementation: Any, result: Any) -> None:
        from KubeVirtLibrary.base import SESSION

        if SESSION.run is None:
            return
        found = {*_of_connections(), *_of_kubeconfig()}
        for record in SESSION.run.suite.vms if SESSION.run.suite else ():
            found |= {record.login.password, record.login.private_key}
        for secret in found - self._known - {""}:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(secret.replace("\n", "\\n") + "\n")
        self._known |= found


def _of_connections() -> list[str]:
    """Tokens of every connection that there is, those of VM owners included."""
    from livenad.api.connection import Connection

    connections = [one for one in gc.get_objects() if type(one) is Connection]
    return [one.headers().get("Authorization", "").removeprefix("Bearer ") for one in connections]


def _of_kubeconfig() -> list[str]:
    """Tokens and keys of the users in the kubeconfig."""
    users = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8"))["users"]
    found = [user["user"].get("token", "") for user in users]
    return found + [base64.b64decode(user["user"].get("client-key-data", "")).decode() for user in users]
