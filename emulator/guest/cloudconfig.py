# SPDX-License-Identifier: Apache-2.0
"""cloud-init user data: parsed into the configuration of the guest."""

from __future__ import annotations

import base64
import binascii
import gzip
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from emulator.guest.accounts import Account

DEFAULT_USER = "cloud-user"
# Known to cloud-init, but without effect in a guest without packages, disks or services.
_WITHOUT_EFFECT = frozenset(
    {
        "apt", "chpasswd", "disable_root", "final_message", "growpart", "locale", "manage_etc_hosts", "merge_how",
        "package_reboot_if_required", "package_update", "package_upgrade", "packages", "preserve_hostname",
        "resize_rootfs", "ssh_deletekeys", "ssh_genkeytypes", "system_info", "timezone", "user", "password", "users",
        "hostname", "fqdn", "ssh_pwauth", "ssh_authorized_keys", "ssh_keys", "write_files", "bootcmd", "runcmd",
        "cloud_init_modules", "cloud_config_modules", "cloud_final_modules", "version", "no_ssh_fingerprints",
    }
)  # fmt: skip


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as cloud-init reads it, by the fast parser if there is one."""


@dataclass(frozen=True)
class File:
    path: str
    content: bytes
    mode: int = 0o644
    append: bool = False


@dataclass
class CloudConfig:
    """The configuration in user data. ``complaints`` are lines for the boot console."""

    hostname: str = ""
    fqdn: str = ""
    accounts: list[Account] = field(default_factory=list)
    password_logins: bool = False
    host_keys: dict[str, str] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    boot_commands: list[str | list[str]] = field(default_factory=list)
    commands: list[str | list[str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def read_user_data(text: str) -> CloudConfig:
    """Never fails: invalid parts are skipped with a complaint, as cloud-init does."""
    config = CloudConfig()
    if text.startswith("#!"):
        config.files.append(File("/var/lib/cloud/instance/scripts/part-001", text.encode(), 0o755))
        config.commands.append(["/var/lib/cloud/instance/scripts/part-001"])
        text = ""
    elif text.strip() and not text.startswith("#cloud-config"):
        config.complaints.append("Unhandled non-multipart (text/x-not-multipart) userdata: it must begin #cloud-config")
        text = ""
    data = _mapping(text, config)
    for key in sorted(set(data) - _WITHOUT_EFFECT):
        config.complaints.append(f"cloud-config key {key!r} is not known here and is ignored")
    config.hostname, config.fqdn = str(data.get("hostname") or ""), str(data.get("fqdn") or "")
    if not config.hostname:
        config.hostname = config.fqdn.partition(".")[0]
    config.password_logins = data.get("ssh_pwauth") in {True, "true", "True", "yes", "1"}
    config.host_keys = {str(name): str(value) for name, value in _dict(data.get("ssh_keys")).items()}
    config.files += [file for entry in _list(data.get("write_files")) if (file := _file(entry, config))]
    config.boot_commands = _commands(data.get("bootcmd"))
    config.commands += _commands(data.get("runcmd"))
    config.accounts = _accounts(data)
    return config


def _mapping(text: str, config: CloudConfig) -> dict[str, Any]:
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        config.complaints.append(f"Failed loading yaml blob. Invalid format: {' '.join(str(error).split())}")
        return {}
    if data is not None and not isinstance(data, dict):
        config.complaints.append("Failed loading yaml blob. Yaml load allows mappings only")
        return {}
    return {str(key): value for key, value in (data or {}).items()}


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _dict(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _commands(value: Any) -> list[str | list[str]]:
    entries = _list(value)
    return [[str(word) for word in entry] if isinstance(entry, list) else str(entry) for entry in entries]


def _file(entry: Any, config: CloudConfig) -> File | None:
    fields = _dict(entry)
    path = fields.get("path")
    if not path:
        config.complaints.append("No path provided to write for a write_files entry")
        return None
    content = fields.get("content", "")
    data = content if isinstance(content, bytes) else str(content).encode()
    encoding = str(fields.get("encoding", "")).lower()
    try:
        if any(name in encoding for name in ("b64", "base64")):
            data = base64.b64decode(data)
        if any(name in encoding for name in ("gz", "gzip")):
            data = gzip.decompress(data)
        permissions = fields.get("permissions", "0644")
        mode = permissions if isinstance(permissions, int) else int(str(permissions), 8)
    except (binascii.Error, OSError, ValueError) as error:
        config.complaints.append(f"Undecodable write_files entry {path}: {error}")
        return None
    return File(str(path), data, mode, append=bool(fields.get("append")))


def _accounts(data: dict[str, Any]) -> list[Account]:
    top_keys = tuple(str(key) for key in _list(data.get("ssh_authorized_keys")))
    user = data.get("user")
    default = Account(DEFAULT_USER, locked=True, sudo=True)
    if isinstance(user, str) and user:
        default = replace(default, name=user)
    elif isinstance(user, dict):
        default = _account({"name": DEFAULT_USER, "sudo": True, **user})
    accounts: dict[str, Account] = {"root": Account("root", home="/root", locked=True)}
    first = None
    for entry in _list(data.get("users", ["default"])):
        if entry == "default":
            account = default
        elif isinstance(entry, str):
            account = Account(entry, locked=True)
        elif _dict(entry).get("name"):
            account = _account(entry)
        else:
            continue
        # cloud-init gives the keys and the password of the top level to the default user, or else to the first one.
        if first is None or account is default:
            first = account.name
        accounts[account.name] = account
    if first is not None:
        accounts[first] = replace(accounts[first], keys=accounts[first].keys + top_keys)
        if data.get("password"):
            accounts[first] = replace(accounts[first], password=str(data["password"]), hashed="", locked=False)
    _change_passwords(_dict(data.get("chpasswd")), accounts)
    return list(accounts.values())


def _account(entry: dict[str, Any]) -> Account:
    name = str(entry["name"])
    return Account(
        name=name,
        home=str(entry.get("homedir") or ("/root" if name == "root" else f"/home/{name}")),
        shell=str(entry.get("shell") or ""),
        password=str(entry.get("plain_text_passwd") or ""),
        hashed=str(entry.get("hashed_passwd") or entry.get("passwd") or ""),
        locked=bool(entry.get("lock_passwd", entry.get("lock-passwd", True))),
        keys=tuple(str(key) for key in _list(entry.get("ssh_authorized_keys") or entry.get("ssh-authorized-keys"))),
        sudo=bool(entry.get("sudo")) or "wheel" in str(entry.get("groups", "")) or "sudo" in str(entry.get("groups")),
        gecos=str(entry.get("gecos") or ""),
    )


def _change_passwords(chpasswd: dict[Any, Any], accounts: dict[str, Account]) -> None:
    pairs: list[tuple[str, str]] = []
    listed = chpasswd.get("list")
    for line in listed.splitlines() if isinstance(listed, str) else _list(listed):
        name, _, password = str(line).partition(":")
        pairs.append((name.strip(), password.strip()))
    pairs += [
        (str(user["name"]), str(user.get("password", "")))
        for user in _list(chpasswd.get("users"))
        if isinstance(user, dict) and user.get("name")
    ]
    for name, password in pairs:
        if name in accounts:
            hashed = password if password.startswith("$") else ""
            plain = "" if hashed else password
            accounts[name] = replace(accounts[name], password=plain, hashed=hashed, locked=False)
