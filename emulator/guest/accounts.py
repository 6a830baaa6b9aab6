# SPDX-License-Identifier: Apache-2.0
"""The users of a guest. All have user id 0: a user namespace that was created without privilege has no other."""

from __future__ import annotations

import ctypes
import ctypes.util
import hmac
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# One /etc/passwd for each user, in which that user comes first, so that `whoami` finds it for user id 0.
_PASSWD_FILES = Path("/run/accounts")
_PASSWD = Path("/etc/passwd")


@dataclass(frozen=True)
class Account:
    """A user: ``password`` in plain text, or ``hashed`` as crypt(3) writes it; ``locked`` permits no password."""

    name: str
    home: str = ""
    shell: str = ""
    password: str = ""
    hashed: str = ""
    locked: bool = False
    keys: tuple[str, ...] = ()
    sudo: bool = False
    gecos: str = ""

    @property
    def directory(self) -> str:
        return self.home or ("/root" if self.name == "root" else f"/home/{self.name}")

    @property
    def login_shell(self) -> str:
        """The requested shell if the guest has it."""
        wanted = (self.shell, shutil.which("bash") or "", "/bin/sh")
        return next(shell for shell in wanted if shell and (shell == "/bin/sh" or Path(shell).exists()))

    def accepts(self, password: str) -> bool:
        if self.locked:
            return False
        if self.hashed:
            return hmac.compare_digest(crypt(password, self.hashed), self.hashed)
        return bool(self.password) and hmac.compare_digest(password.encode(), self.password.encode())

    def passwd_line(self) -> str:
        return f"{self.name}:x:0:0:{self.gecos or self.name}:{self.directory}:{self.login_shell}\n"


def crypt(password: str, hashed: str) -> str:
    """crypt(3); a text that matches nothing if this guest has no libcrypt."""
    try:
        library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    except OSError:
        return ""
    library.crypt.restype = ctypes.c_char_p
    result: bytes | None = library.crypt(password.encode(), hashed.encode())
    return (result or b"").decode(errors="replace")


def create(accounts: Iterable[Account]) -> None:
    """Writes the user database, the home directories and the authorized keys."""
    everyone = list(accounts)
    system = "".join(
        f"{name}:x:{number}:{number}:{name}:{home}:/usr/sbin/nologin\n"
        for name, number, home in (("daemon", 1, "/usr/sbin"), ("nobody", 65534, "/nonexistent"))
    )
    root = [account for account in everyone if account.name == "root"]
    others = [account for account in everyone if account.name != "root"]
    _PASSWD_FILES.mkdir(exist_ok=True)
    for first in everyone:
        order = [first, *(account for account in [*root, *others] if account is not first)]
        passwd_file_of(first).write_text("".join(account.passwd_line() for account in order) + system, encoding="utf-8")
    _PASSWD.write_text(passwd_file_of(root[0]).read_text(encoding="utf-8"), encoding="utf-8")
    groups = "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n" + "".join(f"{user.name}:x:0:\n" for user in others)
    Path("/etc/group").write_text(groups, encoding="utf-8")
    for account in everyone:
        home = Path(account.directory)
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
        if account.keys:
            keys = home / ".ssh" / "authorized_keys"
            keys.parent.mkdir(mode=0o700, exist_ok=True)
            keys.write_text("".join(f"{key.strip()}\n" for key in account.keys), encoding="utf-8")
            keys.chmod(0o600)


def passwd_file_of(account: Account) -> Path:
    return _PASSWD_FILES / account.name


def authorized_keys(account: Account) -> str:
    """The keys in the guest's file now: a user may change them."""
    try:
        return (Path(account.directory) / ".ssh" / "authorized_keys").read_text(encoding="utf-8")
    except OSError:
        return ""
