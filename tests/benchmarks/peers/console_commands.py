# SPDX-License-Identifier: Apache-2.0
"""Commands on a serial console, each with a login before it and a logout after it, driven by pexpect.

Arguments: kubeconfig, path of the console, user, count; the password comes in the environment. Prints the seconds of
each command. Runs in the peers' environment.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pexpect

STREAM = str(Path(__file__).with_name("stream.py"))


def command(kubeconfig: str, path: str, user: str, password: str, word: str) -> str:
    child = pexpect.spawn(sys.executable, [STREAM, kubeconfig, path], timeout=30, encoding="utf-8", echo=False)
    child.send("\n")
    child.expect("login: ")
    child.sendline(user)
    child.expect("Password:")
    child.sendline(password)
    child.expect([r"\$ ", "# "])
    child.sendline(f"echo {word}")
    child.expect(f"[\r\n]{word}\r\n")
    child.expect([r"\$ ", "# "])
    child.sendline("exit")
    child.expect("login: ")
    child.close()
    return word


def main(kubeconfig: str, path: str, user: str, count: str) -> None:
    password = os.environ["GUEST_PASSWORD"]
    for number in range(int(count)):
        start = time.monotonic()
        command(kubeconfig, path, user, password, f"word{number}")
        print(time.monotonic() - start, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
