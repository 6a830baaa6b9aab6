#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands for ``qemu-system-x86_64``: it speaks QMP and the agent's language, and runs no guest.

``FAKE_QEMU`` in the environment names what goes wrong: ``start``, ``migrate`` or ``unplug``. A migration
carries the boot id of the guest over the given socket, so that who arrives can be told.
"""

from __future__ import annotations

import array
import base64
import json
import os
import re
import selectors
import socket
import sys
import uuid
from typing import Any

FAULT = os.environ.get("FAKE_QEMU", "")


class Machine:
    def __init__(self, words: list[str]) -> None:
        text = " ".join(words)
        self.monitor, self.serial, self.agent = (
            socket.socket(fileno=int(re.search(rf"socket,id={name},fd=(\d+)", text).group(1)))  # type: ignore[union-attr]
            for name in ("monitor", "line", "agent")
        )
        self.nics = dict(re.findall(r"virtio-net-pci,id=(\w+),\S*?mac=([0-9a-f:]+)", text))
        self.fds: dict[str, int] = {}
        self.arriving = "-incoming" in words
        self.boot_id = "" if self.arriving else str(uuid.uuid4())
        self.status = "inmigrate" if self.arriving else "running"
        self.commands: dict[int, tuple[int, str]] = {}
        self.unread = {self.monitor: b"", self.agent: b""}

    def say(self, **message: object) -> None:
        self.monitor.send(json.dumps(message).encode() + b"\r\n")

    def serve(self) -> None:
        selector = selectors.DefaultSelector()
        for channel in (self.monitor, self.agent):
            selector.register(channel, selectors.EVENT_READ)
        self.say(QMP={"version": {}})
        while True:
            for key, _ in selector.select():
                one: Any = key.fileobj
                data, ancillary, _, _ = one.recvmsg(65536, 1024)
                if not data:
                    return
                received = array.array("i")
                for _level, _type, raw in ancillary:
                    received.frombytes(raw[: len(raw) - len(raw) % received.itemsize])
                self.unread[one] += data
                *lines, self.unread[one] = self.unread[one].split(b"\n")
                for line in lines:
                    question = json.loads(line.lstrip(b"\xff"))
                    answer = self.answer if one is self.monitor else self.answer_as_agent
                    answer(question["execute"], question.get("arguments", {}), question.get("id"), received)

    def answer(self, command: str, words: dict[str, Any], number: object, received: Any) -> None:
        value: object = {}
        if command == "getfd":
            self.fds[words["fdname"]] = received[0]
        elif command == "query-status":
            value = {"status": self.status, "running": self.status == "running"}
        elif command in ("stop", "cont"):
            self.status = "paused" if command == "stop" else "running"
        elif command == "device_add":
            self.nics[words["id"]] = words["mac"]
        elif command == "device_del" and words["id"] not in self.nics:
            return self.say(id=number, error={"desc": f"Device '{words['id']}' not found"})
        self.say(id=number, **{"return": value})
        if command == "system_reset":
            self.boot_id = str(uuid.uuid4())
            self.say(event="RESET", data={})
        elif command == "system_powerdown":
            self.say(event="SHUTDOWN", data={"guest": True, "reason": "guest-shutdown"})
            sys.exit(0)
        elif command == "device_del" and FAULT != "unplug":
            del self.nics[words["id"]]
            self.say(event="DEVICE_DELETED", data={"device": words["id"]})
        elif command in ("migrate", "migrate-incoming"):
            self.migrate(command, self.fds[words["uri"].removeprefix("fd:")])
        return None

    def migrate(self, command: str, descriptor: int) -> None:
        if FAULT == "migrate":
            self.say(event="MIGRATION", data={"status": "failed"})
            return
        with socket.socket(fileno=descriptor) as way:
            if command == "migrate":
                way.send(f"{self.status} {self.boot_id}".encode())
                self.status = "postmigrate"
            else:
                # Not before the source has begun: that is told of by another process.
                self.status, self.boot_id = way.recv(100).decode().split()
        self.say(event="MIGRATION", data={"status": "completed"})

    def answer_as_agent(self, command: str, words: dict[str, Any], _number: object, _received: object) -> None:
        if self.status != "running":
            return
        values: dict[str, object] = {
            "guest-sync": words.get("id"),
            "guest-ping": {},
            "guest-get-host-name": {"host-name": "web"},
            "guest-get-osinfo": {"id": "fake", "name": "Fake"},
            "guest-get-timezone": {"zone": "UTC", "offset": 0},
            "guest-network-get-interfaces": [
                {"name": f"net{number}", "hardware-address": mac,
                 "ip-addresses": [{"ip-address": f"10.0.0.{number}", "prefix": 24}]}
                for number, mac in enumerate(self.nics.values())
            ],
        }  # fmt: skip
        if command == "guest-exec":
            shown = {"cat": self.boot_id}.get(words["path"], " ".join([words["path"], *words["arg"]]))
            self.commands[len(self.commands) + 1] = (3 if words["path"] == "false" else 0, shown)
            value: object = {"pid": len(self.commands)}
        elif command == "guest-exec-status":
            status, shown = self.commands[words["pid"]]
            value = {"exited": True, "exitcode": status, "out-data": base64.b64encode(shown.encode()).decode()}
        elif command in values:
            value = values[command]
        else:
            self.agent.send(json.dumps({"error": {"desc": f"unknown {command}"}}).encode() + b"\n")
            return
        self.agent.send(json.dumps({"return": value}).encode() + b"\n")


if __name__ == "__main__":
    if FAULT == "start":
        sys.exit("qemu-system-x86_64: could not open the kernel")
    machine = Machine(sys.argv[1:])
    machine.serial.send(f"boot {machine.boot_id}\r\n".encode())
    machine.serve()
