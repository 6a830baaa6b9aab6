# SPDX-License-Identifier: Apache-2.0
"""The configuration that the supervisor gives to its child processes: one file, readable by this user only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from .certificates import Certificates
from .identities import Identity
from .kubeconfig import write_private
from .options import ClusterOptions


@dataclass(frozen=True)
class ProcessConfig:
    """Options, certificates and tokens of one cluster."""

    options: ClusterOptions
    certificates: Certificates
    tokens: dict[str, Identity]

    def write(self, path: Path) -> None:
        write_private(path, json.dumps(asdict(self), default=str))

    @classmethod
    def read(cls, path: Path) -> ProcessConfig:
        raw = json.loads(path.read_text())
        options = raw["options"]
        options["defects"] = tuple(options["defects"])
        tokens = {
            token: Identity(who["context"], who["user"], tuple(who["groups"]), who["node"])
            for token, who in raw["tokens"].items()
        }
        certificates = Certificates(**{name: Path(file) for name, file in raw["certificates"].items()})
        return cls(ClusterOptions(**options), certificates, tokens)
