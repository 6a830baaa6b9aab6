# SPDX-License-Identifier: Apache-2.0
"""The guest agent: facts read inside the guest at the time of the request."""

from __future__ import annotations

import os
import shutil
import socket
from typing import Any

from emulator.dataplane.links import Links
from emulator.guest import sessions
from emulator.guest.identity import os_release


def report(links: Links) -> dict[str, Any]:
    """hostname, interfaces (name, mac, addresses with prefix), os, users and filesystems of this guest."""
    addresses = links.addresses()
    system = os.uname()
    release = os_release()
    usage = shutil.disk_usage("/")
    return {
        "hostname": socket.gethostname(),
        "interfaces": [
            {"name": link.name, "mac": link.mac, "addresses": addresses.get(link.index, [])} for link in links.all()
        ],
        "os": {
            "name": release["NAME"],
            "id": release["ID"],
            "version": release["VERSION"],
            "versionId": release["VERSION_ID"],
            "prettyName": release["PRETTY_NAME"],
            "kernelRelease": system.release,
            "kernelVersion": system.version,
            "machine": system.machine,
        },
        "timezone": "UTC, 0",
        "users": sessions.logged_in(),
        "filesystems": [
            {
                "diskName": "vda",
                "mountPoint": "/",
                "fileSystemType": "tmpfs",
                "usedBytes": usage.used,
                "totalBytes": usage.total,
            }
        ],
    }
