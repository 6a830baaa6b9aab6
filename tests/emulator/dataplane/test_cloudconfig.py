# SPDX-License-Identifier: Apache-2.0
"""Reading cloud-init user data: every form that cloud-init accepts, and what it says of the others."""

from __future__ import annotations

import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.guest.accounts import Account
from emulator.guest.cloudconfig import CloudConfig, read_user_data
from emulator.guest.netconfig import read_network_data


def _config(text: str) -> CloudConfig:
    return read_user_data("#cloud-config\n" + text)


def _account(text: str, name: str) -> Account:
    return next(account for account in _config(text).accounts if account.name == name)


def test_default_user_comes_where_no_users_are_named() -> None:
    assert [account.name for account in _config("{}").accounts] == ["root", "cloud-user"]
    assert [account.name for account in _config("users: [default, {name: me}]").accounts] == [
        "root",
        "cloud-user",
        "me",
    ]
    assert [account.name for account in _config("users: [{name: me}]").accounts] == ["root", "me"]
    assert [account.name for account in _config("user: fedora").accounts] == ["root", "fedora"]


def test_passwords_are_locked_unless_said_otherwise() -> None:
    assert not _account("users: [{name: me, plain_text_passwd: x}]", "me").accepts("x")
    assert _account("users: [{name: me, plain_text_passwd: x, lock_passwd: false}]", "me").accepts("x")
    assert not _account("users: [{name: me, plain_text_passwd: x, lock_passwd: false}]", "me").accepts("y")
    assert not _account("users: [{name: me, lock_passwd: false}]", "me").accepts("")


def test_password_of_the_top_level_is_the_default_users() -> None:
    assert _account("{password: x, chpasswd: {expire: false}}", "cloud-user").accepts("x")
    assert _account("{users: [{name: me}], password: x}", "me").accepts("x")


@pytest.mark.parametrize(
    "chpasswd",
    ["{list: 'root:x'}", "{list: ['root:x']}", "{users: [{name: root, password: x, type: text}]}"],
)
def test_chpasswd_unlocks(chpasswd: str) -> None:
    assert _account(f"chpasswd: {chpasswd}", "root").accepts("x")


def test_hashed_password() -> None:
    # crypt(3) of "secret".
    hashed = "$6$saltsalt$"
    account = Account("me", hashed=hashed + "x")
    assert not account.accepts("secret")


def test_keys_and_host_keys() -> None:
    text = "{ssh_authorized_keys: [a], users: [{name: me, ssh_authorized_keys: [b]}], ssh_keys: {ed25519_private: k}}"
    assert _account(text, "me").keys == ("b", "a")
    assert _config(text).host_keys == {"ed25519_private": "k"}


@pytest.mark.parametrize(("value", "allowed"), [("true", True), ("yes", True), ("false", False), ("unchanged", False)])
def test_password_logins(value: str, allowed: bool) -> None:
    assert _config(f"ssh_pwauth: {value}").password_logins is allowed


def test_files() -> None:
    packed = base64.b64encode(gzip.compress(b"data")).decode()
    text = f"write_files: [{{path: /a, content: {packed}, encoding: gz+b64, permissions: '0600', append: true}}]"
    (file,) = _config(text).files
    assert (file.path, file.content, file.mode, file.append) == ("/a", b"data", 0o600, True)
    broken = _config("write_files: [{path: /a, content: '%', encoding: gzip}, {content: x}]")
    assert broken.files == []
    assert len(broken.complaints) == 2


def test_commands_keep_their_form() -> None:
    config = _config("{runcmd: [echo a, [echo, 1]], bootcmd: only}")
    assert config.commands == ["echo a", ["echo", "1"]]
    assert config.boot_commands == ["only"]


def test_script_is_run() -> None:
    config = read_user_data("#!/bin/sh\necho hello\n")
    assert config.files[0].content.endswith(b"echo hello\n")
    assert config.commands == [[config.files[0].path]]


def test_unusable_data_is_complained_of() -> None:
    assert "Unhandled" in read_user_data("hello").complaints[0]
    assert "mappings only" in _config("[1, 2]").complaints[0]
    assert "Failed loading yaml" in _config("{a: [").complaints[0]
    assert _config("nonsense: 1").complaints == ["cloud-config key 'nonsense' is not known here and is ignored"]
    assert read_user_data("").complaints == []


def test_host_names() -> None:
    assert (_config("fqdn: a.b.c").hostname, _config("fqdn: a.b.c").fqdn) == ("a", "a.b.c")
    assert _config("{hostname: x, fqdn: a.b.c}").hostname == "x"


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(repr))
def test_no_user_data_breaks_a_boot(text: str) -> None:
    assert read_user_data("#cloud-config\nusers: " + text).accounts
    read_user_data(text)


def test_network_data_that_is_not_version_2_is_complained_of() -> None:
    complaints: list[str] = []
    assert read_network_data("version: 1\nconfig: []", complaints.append) is None
    assert complaints == ["network data of version 1 is not known here and is ignored"]
    assert read_network_data("", complaints.append) is None
    assert read_network_data("- x", complaints.append) is None


def test_network_data_ignores_what_it_does_not_know() -> None:
    complaints: list[str] = []
    data = "{version: 2, bonds: {}, ethernets: {eth0: {dhcp4: true, colour: red}, eth1: }}"
    found = read_network_data(data, complaints.append)
    assert found
    assert [(each.key, each.dhcp4) for each in found] == [("eth0", True), ("eth1", False)]
    assert complaints == [
        "network data: 'bonds' is not known here and is ignored",
        "network data of eth0: 'colour' is not known here and is ignored",
    ]
