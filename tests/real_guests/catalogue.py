# SPDX-License-Identifier: Apache-2.0
"""The tries, as data: whatever real guests and their other users were seen to do."""

from __future__ import annotations

from dataclasses import replace

from livenad.virtual_machines.credentials import new_key_pair

from tests.real_guests.tries import Try, Way

BOTH: tuple[Way, ...] = ("console", "SSH")
_NOISE = (
    "echo 8 >/proc/sys/kernel/printk; (while :; do echo {} >{}; sleep {}; done) >/dev/null 2>&1 & echo $! >/run/noise"
)
_QUIET = "kill $(cat /run/noise); echo 1 >/proc/sys/kernel/printk"

COLD = tuple(
    Try("cold start", f"{name}, {way}", (way,), during="reset", before=before, timeout=150)
    for way in BOTH
    for name, before in (("reset", ""), ("reset of a guest with work to do", "(while :; do :; done) >/dev/null 2>&1 &"))
)

_LEFT = {
    "a half-typed line": "echo half-ty",
    "an open quote": "echo 'open quote\r",
    "an open double quote": 'echo "open\r',
    "a here document": "cat <<XX\rhalf\r",
    "an open bracket": "( echo one\r",
    "an open loop": "while true\r",
    "cat": "cat\r",
    "cat -v": "cat -v\r",
    "a long sleep": "sleep 1000\r",
    "a sleep in the background": "sleep 1000 &\r",
    "an interpreter": "python3 -q\r",
    "an interpreter within a string": "python3 -q\rx = '''half\r",
    "vi": "vi /tmp/x\r",
    "vi, inserting": "vi /tmp/x\rihello",
    "less": "seq 1 900 | less\r",
    "more": "seq 1 900 | more\r",
    "top": "top\r",
    "nc, waiting": "nc -l -p 4444\r",
    "dd, reading": "dd of=/dev/null\r",
    "a prompt like a login's": "PS1='login: '\r",
    "a prompt like that for a password": "PS1='Password: '\r",
    "no prompt": "PS1=\r",
    "a prompt with colours and a title": "PS1='\\[\\e]0;title\\a\\e[1;32m\\]two$ '\r",
    "a prompt of two lines": "PS1='one\r> two$ '\r",
    "no echo": "stty -echo\r",
    "raw mode": "stty raw\r",
    "no translation of line ends": "stty -icrnl\r",
    "upper case": "stty olcuc\r",
    "seven bits": "stty cs7\r",
    "output stopped": "\x13",
    "output stopped within much of it": "seq 1 5000\r\x13",
    "a narrow terminal": "stty cols 20\r",
    "a terminal of no width": "stty cols 0 rows 0\r",
    "noise in the background": "(while sleep 0.1; do echo background noise; done) &\r",
    "a password asked for": "su\r",
    "another shell within": "sh\r",
    "three shells within": "sh\rsh\rsh\r",
    "root's shell": "sudo -i\r",
    "set -e": "set -e\r",
    "set -u": "set -u\r",
    "set -x": "set -x\r",
    "set -C": "set -C\r",
    "set -v": "set -v\r",
    "set -o vi": "set -o vi\r",
    "set -o vi, in command mode": "set -o vi\recho some\x1b",
    "umask 777": "umask 777\r",
    "umask 027": "umask 027\r",
    "aliases": "alias rm='rm -i' cp='cp -i' printf=false echo=true\r",
    "another field separator": "IFS=:\r",
    "no file name patterns": "set -f\r",
    "a function of our names": "_f() { exit; }; _k() { exit; }\r",
    "a removed working directory": "mkdir /tmp/gone; cd /tmp/gone; rmdir /tmp/gone\r",
    "a trap at the end": "trap 'echo bye' EXIT\r",
    "interrupts ignored": "trap '' INT\r",
    "interrupts ignored within a sleep": "trap '' INT; sleep 20\r",
    "an empty environment": "unset HOME PATH; PATH=/bin:/usr/bin:/sbin:/usr/sbin\r",
    "the escape character": "\x1b",
    "half a UTF-8 character": "\xc3",
    "a bell and a tab": "\x07\t\t",
    "a history search": "\x12ec",
    "a literal next": "\x16",
    "end of file ignored": "set -o ignoreeof\r",
    "logged out": "exit\r",
    "logged out by end of file": "\x04",
    "a name at the login prompt": "exit\rsomebody",
    "a foreign name, its password asked for": "exit\rsomebody\r",
    "our name, its password asked for": "exit\rtester\r",
    "a user refused": "exit\rsomebody\rsomething\r",
    "lines of nothing": "\r\r\r\r\r\r",
    "500 characters": "x" * 500,
    "a locked file": "exec 9>/tmp/lock; flock 9\r",
}  # fmt: skip
LEFT = tuple(Try("left by others", name, left=keys) for name, keys in _LEFT.items())

NOISE = tuple(
    Try(
        "noise",
        f"{name}, a command of {lasts} s",
        BOTH,
        before=_NOISE.format(words, where, pause),
        after=_QUIET,
        lasts=lasts,
    )
    for name, words, where, pause in (
        ("kernel messages every 20 ms", "burst of the kernel", "/dev/kmsg", 0.02),
        ("kernel messages every 200 ms", "burst of the kernel", "/dev/kmsg", 0.2),
        ("lines like a login prompt", "'vm login: '", "/dev/ttyS0", 0.3),
        ("lines like one for a password", "'Password: '", "/dev/ttyS0", 0.3),
        ("lines like our frames", "'@@x1:E:0:0:0:p:0:0:p:base64@@'", "/dev/ttyS0", 0.3),
        ("a broadcast", "'Broadcast message from root@vm: the system is going down'", "/dev/ttyS0", 0.5),
    )
    for lasts in (0, 2)
)

OUTPUT = (
    Try("output", "none", BOTH, command="true"),
    Try("output", "5,000 columns", BOTH, command="printf %5000d 7", expected="7".rjust(5000)),
    Try(
        "output",
        "20,000 lines",
        BOTH,
        command="seq 1 20000",
        expected="".join(f"{n}\n" for n in range(1, 20001)),
        timeout=120,
    ),
    Try("output", "2 MB of the same", BOTH, command="yes | head -c 2000000", expected="y\n" * 1_000_000, timeout=150),
    Try(
        "output",
        "binary",
        BOTH,
        command="printf '\\000\\377\\033[31mred\\r\\n'",
        expected="\x00\ufffd\x1b[31mred\r\n",
    ),
    Try("output", "prompts and frames", BOTH, command="printf 'vm login: \\nPassword: \\n@@x:E:0:0@@'",
        expected="vm login: \nPassword: \n@@x:E:0:0@@"),
    Try("output", "every octet 40 times", BOTH, timeout=90, expected="10240 1\n",
        command="python3 -c 'import sys; sys.stdout.buffer.write(bytes(range(256)) * 40)' | tee /tmp/all | wc -c | "
        "while read -r n; do echo $n 1; done"),
    Try("output", "a command of 6,000 characters", BOTH, expected="6400\n",
        command="printf %s " + "é'\"$!\\t".encode().hex() * 400 + " | wc -c"),
    Try("output", "its own input is empty", BOTH, command="cat"),
    Try("output", "killed by a signal", BOTH, command="{ sh -c 'kill -9 $$'; } 2>/dev/null", status=137),
    Try("output", "not found", BOTH, command="nosuchcommand 2>/dev/null", status=127),
    Try("output", "text that ends in a prompt", ("console",),
        command='printf "vm login: " >/dev/tty; sleep 1.5; echo done', expected="done\n"),
    Try("output", "text that asks for a password", ("console",),
        command='printf "Password: " >/dev/tty; sleep 1.5; echo done', expected="done\n"),
)  # fmt: skip

ACCIDENTS = (
    *(
        Try("pause", f"{name} during a command of {lasts} s", BOTH, during=what, lasts=lasts, seconds=0.7)
        for name, what in (("4 s", "pause"), ("12 s", "long_pause"))
        for lasts in (1, 3)
    ),
    *(Try("pause", f"{name}, before", BOTH, during=what) for name, what in (("4 s", "pause"), ("12 s", "long_pause"))),
    Try("reset", "during a command", BOTH, during="reset", lasts=3, timeout=120, may_be_lost=True),
    *(
        Try("migration", f"during a command of {lasts} s", BOTH, during="migrate", lasts=lasts, may_be_lost=True)
        for lasts in (1, 5)
    ),
    Try("migration", "before", BOTH, during="migrate"),
    *(
        Try("streams", f"{name}, a command of {lasts} s", BOTH, during=what, lasts=lasts, may_be_lost=True)
        for name, what in (("cut", "cut"), ("another client", "kick"))
        for lasts in (1, 3)
    ),
    Try("streams", "another client that types", during="typing_kick", lasts=2),
    Try("streams", "the login shell is killed", during="kill_shell", lasts=3, may_be_lost=True),
)

_RESTART = "kill $(pidof dropbear | tr ' ' '\\n' | tail -1); sleep 0.5"
_OPTIONS = (
    "cp /run/dropbear.options /run/o; echo '{}' $(cat /run/o) >/run/dropbear.options; killall dropbear; sleep 0.7"
)
_OPTIONS_BACK = "cp /run/o /run/dropbear.options; killall dropbear; sleep 0.7"
_KEYS = "/home/tester/.ssh/authorized_keys"
_SSH: tuple[Way, ...] = ("SSH",)
SSHD = (
    Try("SSH server", "a banner", _SSH, before="seq 1 50 >/run/b; " + _OPTIONS.format("-b /run/b"),
        after=_OPTIONS_BACK),
    Try("SSH server", "one try to log in", _SSH, before=_OPTIONS.format("-T 1"), after=_OPTIONS_BACK),
    Try("SSH server", "keep-alive of 1 s", _SSH, before=_OPTIONS.format("-K 1"), after=_OPTIONS_BACK, lasts=4),
    Try("SSH server", "a small window", _SSH, before=_OPTIONS.format("-W 1024"), after=_OPTIONS_BACK,
        command="seq 1 20000", expected="".join(f"{n}\n" for n in range(1, 20001))),
    Try("SSH server", "a forced command", _SSH, command="echo other", expected="forced\n",
        before=f"cp {_KEYS} /run/keys; sed -i 's/^/command=\"echo forced\" /' {_KEYS}", after=f"cp /run/keys {_KEYS}"),
    Try("SSH server", "ended, and started again", _SSH, before=_RESTART),
    Try("SSH server", "stopped", _SSH, before="killall -STOP dropbear", after="killall -CONT dropbear", timeout=12,
        told="nothing that speaks SSH answers on port 22"),
    Try("SSH server", "another host key", _SSH, timeout=12, told="host key is not the one that this run gave",
        login=lambda login: replace(login, host_public_key=new_key_pair("other").public)),
    Try("SSH server", "no key of ours", _SSH, timeout=12, told='login refused .*user "tester" is not let in with a key',
        before=f"mv {_KEYS} /run/keys", after=f"mv /run/keys {_KEYS}"),
    Try("SSH server", "another key", _SSH, timeout=12, told='login refused .*user "tester" is not let in with a key',
        login=lambda login: replace(login, private_key=new_key_pair("other").private)),
    Try("SSH server", "passwords are not taken", _SSH, timeout=20,
        told="may not log in with a password|is not let in with a password",
        login=lambda login: replace(login, private_key="")),
    Try("SSH server", "home directory writable by others", _SSH, timeout=12, told="login refused",
        before="chmod 777 /home/tester", after="chmod 700 /home/tester"),
    Try("SSH server", "no such user", _SSH, timeout=12, told="login refused",
        login=lambda login: replace(login, user="nobody-here")),
    Try("SSH server", "user's shell is no shell", _SSH, timeout=12, told="login refused|may it log in",
        before="cp /etc/passwd /run/p; sed -i '/^tester/s#[^:]*$#/sbin/nologin#' /etc/passwd",
        after="cp /run/p /etc/passwd"),
    Try("SSH server", "port closed", _SSH, timeout=10, told="no session within|nothing that speaks SSH",
        before="mv /usr/sbin/dropbear /run/d; killall dropbear; sleep 0.5",
        after="mv /run/d /usr/sbin/dropbear; sleep 2"),
)  # fmt: skip

_HIDDEN = "mv $(command -v {0}) /run/{0}.hidden; :"
_SHOWN = "[ -e /run/{0}.hidden ] || [ -L /run/{0}.hidden ] && mv /run/{0}.hidden /usr/bin/{0}; :"
TOOLS = (
    *(
        Try("tools", f"no {tool}", timeout=40, before=_HIDDEN.format(tool), after=_SHOWN.format(tool))
        for tool in ("awk", "gzip", "base64")
    ),
    *(
        Try("tools", f"no {tool}", timeout=40, before=_HIDDEN.format(tool), after=_SHOWN.format(tool),
            told=f"the guest lacks {tool}, without which no command's output can be had")
        for tool in ("cksum",)
    ),
    *(
        Try("tools", f"no {tool}, and SSH does without", _SSH, before=_HIDDEN.format(tool), after=_SHOWN.format(tool))
        for tool in ("cksum", "base64", "awk")
    ),
    Try("tools", "a full /tmp", before="dd if=/dev/zero of=/tmp/full bs=1M count=200 2>/dev/null; :",
        after="rm /tmp/full", command="echo out", expected="out\n"),
    Try("tools", "a /tmp that may not be written", before="mount -o remount,ro /tmp", after="mount -o remount,rw /tmp",
        command="echo out", expected="out\n"),
)  # fmt: skip

_PROFILE = 'cp /etc/profile /run/pr; echo "{}" >>/etc/profile'
_PROFILE_BACK = "cp /run/pr /etc/profile"
_HABITS = {
    "set -e": "set -e", "set -u": "set -u", "set -C": "set -C", "umask 777": "umask 777", "umask 077": "umask 077",
    "aliases": "alias rm='rm -i' mv='mv -i' cp='cp -i'", "a greeting": "echo hello; echo; echo login: later",
    "two seconds of start": "sleep 2", "a prompt like a login's": "PS1='login: '", "no prompt": "PS1=",
    "a title": "printf '\\033]0;title\\007'", "a question of the terminal": "printf '\\033[6n'",
    "its own directory": "cd /usr", "its language": "export LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8",
    "no files may be written": "ulimit -f 0",
}  # fmt: skip
SHELLS = tuple(
    Try("shells", name, before=_PROFILE.format(text), after=_PROFILE_BACK, timeout=40,
        told="may write no file" if name == "no files may be written" else "")
    for name, text in _HABITS.items()
)  # fmt: skip

_SHADOW = "cp /etc/shadow /run/s; cp /etc/passwd /run/p; {}"
_SHADOW_BACK = "cp /run/s /etc/shadow; cp /run/p /etc/passwd"
_HASH = "$6$guest$8JE8To4SHTA7ZVPP/RlM4fpoM7m7/gZyKuGcv76KyWUet5PCzO.iPgGctrlHOU9Ubl53c.tGlpIrPvW03QQ8A."
"""Of "secret77"."""
ACCOUNTS = (
    Try("accounts", "a wrong password", timeout=60, told="refused user \"tester\" with the password of this run twice",
        login=lambda login: replace(login, password="wrong")),
    Try("accounts", "no such user", timeout=60, told="refused user \"nobody-here\"",
        login=lambda login: replace(login, user="nobody-here")),
    Try("accounts", "locked", timeout=60, told='refused user "tester"',
        before=_SHADOW.format("sed -i '/^tester/s/:[^:]*/:!/' /etc/shadow"), after=_SHADOW_BACK),
    Try("accounts", "no shell", timeout=60,
        told='refused user "tester"|may the user log in|neither a shell nor a login',
        before=_SHADOW.format("sed -i '/^tester/s#[^:]*$#/bin/false#' /etc/passwd"), after=_SHADOW_BACK),
    Try("accounts", "no logins now", timeout=60, told="refused user|nologin|System closed",
        before="echo 'System closed for routine maintenance' >/etc/nologin", after="rm /etc/nologin"),
    Try("accounts", "a home that is gone", before="mv /home/tester /home/t; cp -r /home/t/.ssh /run/k; :",
        after="rm -rf /home/tester; mv /home/t /home/tester", command="echo out",
        expected="out\n"),
    Try("accounts", "root by its password", before=_SHADOW.format(f"sed -i 's#^root:[^:]*#root:{_HASH}#' /etc/shadow"),
        after=_SHADOW_BACK, login=lambda login: replace(login, user="root", password="secret77")),
)  # fmt: skip

PARALLEL = tuple(
    Try("side by side", f"{number} commands", BOTH if number < 6 else _SSH, side_by_side=number, timeout=90)
    for number in (2, 5, 10, 11, 16)
)

IDENTITY = (
    Try("identity", "boot id", BOTH, command="cat /proc/sys/kernel/random/boot_id", expected="{boot_id}\n"),
    Try("identity", "hostname", BOTH, command="hostname", expected="web\n"),
    Try("identity", "MAC", BOTH, command="cat /sys/class/net/net0/address", expected="02:00:00:00:00:01\n"),
    Try("identity", "user", BOTH, command="id -un; sudo -n id -u", expected="tester\n0\n"),
    Try("identity", "uptime goes on", BOTH, expected="yes\n",
        command="read -r a _ </proc/uptime; sleep 0.3; read -r b _ </proc/uptime; [ $a != $b ] && echo yes"),
)  # fmt: skip

CATALOGUE = (
    *COLD, *LEFT, *NOISE, *OUTPUT, *ACCIDENTS, *SSHD, *TOOLS, *SHELLS, *ACCOUNTS, *PARALLEL, *IDENTITY,
)  # fmt: skip
"""Every try for BusyBox guests."""

_REDUCED: dict[tuple[str, str], Way] = {
    ("left by others", "a half-typed line"): "console",
    ("noise", "kernel messages every 200 ms, a command of 0 s"): "console",
    ("output", "binary"): "SSH",
    ("output", "20,000 lines"): "console",
    ("pause", "4 s during a command of 1 s"): "console",
    ("migration", "during a command of 1 s"): "console",
    ("migration", "before"): "SSH",
    ("SSH server", "a forced command"): "SSH",
    ("tools", "no cksum"): "console",
    ("side by side", "11 commands"): "SSH",
    ("identity", "boot id"): "console",
}
REDUCED = tuple(
    replace(one, ways=(_REDUCED[one.topic, one.name],), timeout=min(one.timeout, 60))
    for one in {(one.topic, one.name): one for one in CATALOGUE}.values()
    if (one.topic, one.name) in _REDUCED
)
"""Those that run in ./test.sh: one or two of most topics, by one way each."""
