"""Where a network may lie: words that suites use, and what stands behind each of them."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Place(enum.Enum):
    """What a network of a test is made on."""

    bridge = "bridge"
    other_bridge = "other bridge"
    localnet = "localnet"


class Technique(enum.Enum):
    """How pods are connected."""

    linux_bridge = "bridge"
    localnet = "localnet"


@dataclass(frozen=True)
class NetworkBackend:
    """What carries the VLANs of a place, on every node.

    ``name`` is that of the bridge or physical network, ``pool`` the one under which its VLANs are leased: two backends
    that lead to the same wire have the same. ``resource`` is what a node has that has the bridge, "" where nodes do
    not tell.
    """

    technique: Technique
    name: str
    pool: str
    resource: str = ""
