# SPDX-License-Identifier: Apache-2.0
"""An exec plugin of a kubeconfig, as a script."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from .uses import Config


def plugin(folder: Path, *credentials: Config) -> Config:
    """An exec plugin that gives these credentials one after the other, the last one for ever; it counts its runs."""
    (folder / "credentials.json").write_text(json.dumps(credentials), encoding="utf-8")
    script = folder / "plugin.py"
    script.write_text(
        "import json, pathlib\n"
        "here = pathlib.Path(__file__).parent\n"
        "runs = here / 'runs'\n"
        "number = len(runs.read_text()) if runs.exists() else 0\n"
        "runs.write_text('x' * (number + 1))\n"
        "known = json.loads((here / 'credentials.json').read_text())\n"
        "status = known[min(number, len(known) - 1)]\n"
        "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential',"
        " 'status': status}))\n",
        encoding="utf-8",
    )
    version = "client.authentication.k8s.io/v1"
    return {
        "exec": {"apiVersion": version, "command": sys.executable, "args": [str(script)], "interactiveMode": "Never"}
    }


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text(encoding="utf-8"))


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
