# SPDX-License-Identifier: Apache-2.0
"""The guest's own files: its identity, and small programs that a guest has and its host may lack."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from emulator.guest import sessions

_VERSION = "1"
_OS_RELEASE = f"""\
NAME="Embedded Cluster Guest"
ID=embedded
VERSION="{_VERSION}"
VERSION_ID="{_VERSION}"
PRETTY_NAME="Embedded Cluster Guest {_VERSION} (Linux namespaces, no virtual machine)"
"""
_MOTD = """
This is a guest of the embedded cluster: Linux namespaces on your machine, no virtual machine.

"""
_PROFILE = f"""\
export PATH={sessions.PATH}
if [ -n "$BASH_VERSION" ] && [ -n "$PS1" ]; then . /etc/bash.bashrc; fi
for script in /etc/profile.d/*.sh; do if [ -r "$script" ]; then . "$script"; fi; done
unset script
"""
# Every user has user id 0, so bash would always show '#'.
_BASHRC = r"""
if [ -n "$PS1" ]; then
    if [ "$(id -un)" = root ]; then PS1='\u@\h:\w# '; else PS1='\u@\h:\w$ '; fi
fi
"""
_PROGRAMS = Path("/opt/guest/bin")
# Signals of systemd's process 1: power off, reboot.
_POWER_OFF, _REBOOT = 38, 39

_SUDO = """\
#!/bin/sh
# Every user of this guest is user id 0 already; what changes is the name, the home and the environment.
user=root login=
while [ $# -gt 0 ]; do
    case "$1" in
        -u) user=$2; shift 2 ;;
        -i|-s) login=yes; shift ;;
        --) shift; break ;;
        -*) shift ;;
        *=*) export "$1"; shift ;;
        *) break ;;
    esac
done
exec /opt/guest/lib/as-user "$user" "$login" "$@"
"""
_SU = """\
#!/bin/sh
user=root command=
while [ $# -gt 0 ]; do
    case "$1" in
        -c) command=$2; shift 2 ;;
        -*) shift ;;
        *) user=$1; shift ;;
    esac
done
if [ -n "$command" ]; then exec /opt/guest/lib/as-user "$user" "" sh -c "$command"; fi
exec /opt/guest/lib/as-user "$user" yes
"""
_AS_USER = """\
#!/bin/sh
user=$1 login=$2
shift 2
if [ ! -r "/run/accounts/$user" ]; then echo "unknown user: $user" >&2; exit 1; fi
if command -v unshare >/dev/null && [ "$(id -un)" != "$user" ] && [ -z "$AS_USER" ]; then
    AS_USER=yes exec unshare -m "$0" "$user" "$login" "$@"
fi
if [ -n "$AS_USER" ]; then mount --bind "/run/accounts/$user" /etc/passwd; fi
unset AS_USER
IFS=: read -r USER _ _ _ _ HOME SHELL < "/run/accounts/$user"
export USER HOME SHELL LOGNAME="$USER"
if [ -n "$login" ]; then cd "$HOME"; fi
if [ $# -eq 0 ]; then exec "$SHELL" -l; fi
exec "$@"
"""
_CLOUD_INIT = """\
#!/bin/sh
if [ "$1" != status ]; then echo "only 'cloud-init status [--wait]' is offered here" >&2; exit 2; fi
if [ "$2" = --wait ]; then
    while [ ! -e /var/lib/cloud/instance/boot-finished ]; do sleep 0.1; done
fi
if [ -e /var/lib/cloud/instance/boot-finished ]; then echo "status: done"; else echo "status: running"; fi
"""
_SYSCTL = """\
#!/bin/sh
for word in "$@"; do
    case "$word" in
        -*) continue ;;
        *=*)
            key=$(echo "${word%%=*}" | tr -d ' ' | tr . /)
            echo "${word#*=}" > "/proc/sys/$key" || exit 1
            echo "${word%%=*} = ${word#*=}" ;;
        *)
            key=$(echo "$word" | tr . /)
            echo "$word = $(cat "/proc/sys/$key")" || exit 1 ;;
    esac
done
"""


def os_release() -> dict[str, str]:
    """The current fields of the guest's /etc/os-release."""
    return release_fields(Path("/etc/os-release").read_text(encoding="utf-8"))


def release_fields(text: str = "") -> dict[str, str]:
    """The fields of a text like /etc/os-release; those of a new guest where it has none."""
    lines = [*_OS_RELEASE.splitlines(), *text.splitlines()]
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines if "=" in line)}


def issue() -> str:
    """The text above the login prompt."""
    return f"Embedded Cluster Guest {_VERSION} {os.uname().nodename.partition('.')[0]} ttyS0\n"


def write_files(hostname: str, fqdn: str) -> None:
    names = " ".join(dict.fromkeys(name for name in (fqdn, hostname) if name))
    for name, content in {
        "hostname": f"{hostname}\n",
        "hosts": f"127.0.0.1 localhost\n127.0.1.1 {names}\n::1 localhost ip6-localhost ip6-loopback\n",
        "os-release": _OS_RELEASE,
        "motd": _MOTD,
        "profile": _PROFILE,
        "bash.bashrc": _BASHRC,
        "bashrc": _BASHRC,
        "shells": "/bin/sh\n/bin/bash\n/usr/bin/bash\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
        "resolv.conf": "",
        "machine-id": "",
    }.items():
        (Path("/etc") / name).write_text(content, encoding="utf-8")
    for name in ("profile.d", "ssh", "sysctl.d"):
        (Path("/etc") / name).mkdir(exist_ok=True)
    mounts = Path("/etc/mtab")
    if not mounts.is_symlink():
        mounts.symlink_to("/proc/self/mounts")


def install_programs() -> None:
    """Puts the guest's own programs first on the PATH; those that a host usually has only where it lacks them."""
    _install(_PROGRAMS.with_name("lib") / "as-user", _AS_USER)
    _install(_PROGRAMS / "sudo", _SUDO)
    _install(_PROGRAMS / "su", _SU)
    _install(_PROGRAMS / "cloud-init", _CLOUD_INIT)
    for name in ("poweroff", "halt", "shutdown"):
        # shutdown -r is the only form with another meaning.
        choice = f'case "$*" in *-r*) kill -{_REBOOT} 1 ;; *) kill -{_POWER_OFF} 1 ;; esac'
        _install(_PROGRAMS / name, f"#!/bin/sh\n{choice if name == 'shutdown' else f'kill -{_POWER_OFF} 1'}\n")
    _install(_PROGRAMS / "reboot", f"#!/bin/sh\nkill -{_REBOOT} 1\n")
    if not shutil.which("sysctl", path=sessions.PATH):
        _install(_PROGRAMS / "sysctl", _SYSCTL)


def _install(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
