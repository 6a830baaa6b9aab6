# SPDX-License-Identifier: Apache-2.0
"""virtctl itself is in no package registry: what its commands send is among the recordings that are replayed here."""

from __future__ import annotations

import json
import re

import pytest

from .recordings import DATA

VM, VMI = "virtualmachines", "virtualmachineinstances"
# By KubeVirt's pkg/virtctl and staging/src/kubevirt.io/client-go/kubecli: what each command asks virt-api for.
COMMANDS = {
    "version": ("GET", "version", ""),
    "console": ("GET", VMI, "console"),
    "port-forward, ssh, scp": ("GET", VMI, "portforward"),
    "port-forward of a VM": ("GET", VM, "portforward"),
    "vnc": ("GET", VMI, "vnc"),
    "start": ("PUT", VM, "start"),
    "stop": ("PUT", VM, "stop"),
    "restart": ("PUT", VM, "restart"),
    "migrate": ("PUT", VM, "migrate"),
    "pause": ("PUT", VMI, "pause"),
    "unpause": ("PUT", VMI, "unpause"),
    "soft-reboot": ("PUT", VMI, "softreboot"),
    "reset": ("PUT", VMI, "reset"),
    "guestosinfo": ("GET", VMI, "guestosinfo"),
    "userlist": ("GET", VMI, "userlist"),
    "fslist": ("GET", VMI, "filesystemlist"),
    "addvolume": ("PUT", VMI, "addvolume"),
    "addvolume --persist": ("PUT", VM, "addvolume"),
    "removevolume": ("PUT", VMI, "removevolume"),
    "removevolume --persist": ("PUT", VM, "removevolume"),
    "memory-dump get": ("PUT", VM, "memorydump"),
    "memory-dump remove": ("PUT", VM, "removememorydump"),
    "vmexport create": ("POST", "virtualmachineexports", ""),
}
_API = r"/apis/(?:subresources|export)\.kubevirt\.io/[^/]+/(?:namespaces/[^/]+/)?"
_URL = re.compile(_API + r"([^/?]+)(?:/[^/?]+/([^/?]+))?")


def replayed() -> set[tuple[str, str, str]]:
    """Method, resource and subresource of each recorded request to virt-api."""
    found = set()
    for name in ("stream", "stream-lifecycle", "refusals"):
        for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            if match := _URL.match(one["url"]):
                found.add((one["method"], match[1], match[2] or ""))
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_requests_of_virtctl_are_replayed(command: str) -> None:
    assert COMMANDS[command] in replayed()
