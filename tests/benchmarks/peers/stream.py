# SPDX-License-Identifier: Apache-2.0
"""Standard input and output joined to a stream of a VMI, as ``virtctl console`` and ``port-forward --stdio`` do.

Arguments: kubeconfig, path of the subresource. Imports little, so that its own start costs as little as theirs.
"""

from __future__ import annotations

import base64
import os
import ssl
import sys
import termios
import threading
import tty

import websocket
import yaml


def connect(kubeconfig: str, path: str) -> websocket.WebSocket:
    with open(kubeconfig, encoding="utf-8") as file:  # noqa: PTH123
        config = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    return websocket.create_connection(
        cluster["server"].replace("https", "wss", 1) + path,
        subprotocols=["plain.kubevirt.io"],
        header=[f"Authorization: Bearer {user['token']}"],
        sslopt={"context": context},
        suppress_origin=True,
        enable_multithread=True,
    )


def main(kubeconfig: str, path: str) -> None:
    stream = connect(kubeconfig, path)
    if os.isatty(0):
        tty.setraw(0, termios.TCSANOW)

    def outward() -> None:
        while data := os.read(0, 65536):
            stream.send_binary(data)
        stream.close()

    threading.Thread(target=outward, daemon=True).start()
    while True:
        try:
            data = stream.recv()
        except websocket.WebSocketException:
            return
        if not data:
            return
        os.write(1, data if isinstance(data, bytes) else data.encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
