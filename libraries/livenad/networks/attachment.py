# SPDX-License-Identifier: Apache-2.0
"""Attachment types of networks, by the names that suites use, and the backends behind them."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Place(enum.Enum):
    """What carries a test network on the nodes. ``other bridge`` may be written for ``other_bridge``."""

    bridge = "bridge"
    other_bridge = "other bridge"
    localnet = "localnet"


class Technique(enum.Enum):
    """The CNI technique that connects pods."""

    linux_bridge = "bridge"
    localnet = "localnet"


@dataclass(frozen=True)
class NetworkBackend:
    """The bridge or physical network that carries VLANs on every node.

    ``name`` is its name. ``pool`` is the name of the pool for its VLANs: backends on the same wire share a pool.
    ``resource`` is the node resource of nodes with the bridge, "" when nodes do not report it.
    """

    technique: Technique
    name: str
    pool: str
    resource: str = ""
