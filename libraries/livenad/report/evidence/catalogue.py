# SPDX-License-Identifier: Apache-2.0
"""The content of evidence, as data. To collect more, add a line."""

from __future__ import annotations

from dataclasses import dataclass

from livenad.api.kinds import KUBEVIRT, MIGRATION, NAD, NODE, NODE_STATE, POD, VM, VMI, Kind

SECONDS = 60.0
"""Maximum total seconds for the evidence of one suite."""

BYTES = 20_000_000
"""Maximum size on disk of the evidence of one suite."""

FILE_BYTES = 4_000_000
"""Maximum size of one file; the end of logs and of the history is kept."""

OBJECTS: tuple[Kind, ...] = (VM, VMI, MIGRATION, POD, NAD)
"""Kinds of the test namespace, a file of YAML each."""

CLUSTER_OBJECTS: tuple[Kind, ...] = (KUBEVIRT, NODE, NODE_STATE)
"""Kinds of the whole cluster, if they exist and the user may list them; NMState's have the nodes' bridges."""

LOG_LINES = 2000
"""Last lines of each container of a launcher pod; ``guest-console-log`` is the output of the guest on its console."""

GUEST_SECONDS = 10.0
"""Seconds for all commands of a guest."""


@dataclass(frozen=True)
class GuestCommand:
    """A POSIX shell command whose output shows the state of a guest."""

    title: str
    command: str


GUEST_COMMANDS = (
    GuestCommand("boot id and uptime", "cat /proc/sys/kernel/random/boot_id /proc/uptime"),
    GuestCommand("interfaces", "ip -s addr || ip addr"),
    GuestCommand("IPv4 routes", "ip route"),
    GuestCommand("IPv6 routes", "ip -6 route"),
    GuestCommand("neighbours", "ip neigh"),
    GuestCommand("kernel messages", "dmesg | tail -n 100"),
)
