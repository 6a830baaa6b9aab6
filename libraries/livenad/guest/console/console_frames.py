# SPDX-License-Identifier: Apache-2.0
"""How a command and its result travel over a serial console.

The command is typed as one argument of ``printf %b``, in pieces when it is long, since BusyBox ash cuts a line at about
1,022 characters. The guest keeps output and status in files and prints them as numbered, checksummed frames: what a
kernel message tore apart is asked for again, and the command itself runs once. A frame looks like ``@@ID:KIND:...@@``;
the typed text never holds one whole, so that no echo, however it is wrapped or doubled, is taken for it.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import string
import zlib
from dataclasses import dataclass, field

LINE_LIMIT = 900
"""Bytes of one typed line, well below what any shell or tty takes."""

_MOST_PIECES = 100

_FRAME = re.compile(r"@@([0-9A-Za-z]+):([A-Za-z]):([0-9A-Za-z+/=:.-]*)@@")
_LONGEST_FRAME = 400

# _w: working directory, _b: encoder, _z: compressor, _a: awk, _g: the umask takes our own files from us. _f prints the
# result of command $1, _k runs it first, _i tells what the guest is like. The login shell may be zsh, which asks before
# it removes "*", or have set -e, set -u, set -C or an alias. States: "none" (never begun), "run" (not ended), else the
# exit status.
FUNCTIONS = r"""
_e() { printf '\n@@%s:%s:%s@@\n' "$@"; }
_x() { od -An -v -tx1 | tr -d ' '; }
_l() {
if [ -n "$_a" ] && [ "$3" -gt 2000 ]; then
awk -v h="@@$1:$2:" 'function o(){printf "%s%d:%s@@\n",h,++n,l;l=""} {l=l $0} NR%3==0{o()} END{if(l!="")o()}'
else
_n=0
while IFS= read -r _y; do _n=$((_n + 1)); printf '@@%s:%s:%s:%s@@\n' "$1" "$2" "$_n" "$_y"; done
fi
}
_t() {
if [ "$3" = z ]; then gzip -c <"$_w/$1.$2"; else cat <"$_w/$1.$2"; fi | "$_b" | _l "$1" "$2" "$4"
}
_f() {
if [ -s "$_w/$1.r" ]; then
read -r _r <"$_w/$1.r"
_o=$(cksum <"$_w/$1.o"); _q=$(cksum <"$_w/$1.e"); _m=${_b#_}
[ "${_o#* }" -gt 2000 ] && [ -n "$_z" ] && _v=z || _v=p
[ "${_q#* }" -gt 2000 ] && [ -n "$_z" ] && _j=z || _j=p
_h="$_r:${_o% *}:${_o#* }:$_v:${_q% *}:${_q#* }:$_j:$_m"
_e "$1" H "$_h"
[ "${_o#* }" = 0 ] || _t "$1" o "$_v" "${_o#* }"
[ "${_q#* }" = 0 ] || _t "$1" e "$_j" "${_q#* }"
_e "$1" E "$_h"
elif [ -e "$_w/$1.s" ]; then _e "$1" N run
else _e "$1" N none; fi
}
_c() { command rm -f "$@"; }
_k() {
_c "$_w"/*
[ -z "$_g" ] || (umask 077; : >|"$_w/$1.o"; : >|"$_w/$1.e"; : >|"$_w/$1.r")
pwd -P >/dev/null 2>&1 || cd /
: >|"$_w/$1.s" && _e "$1" B run
sh -c "$(printf %b "$2")" </dev/null >|"$_w/$1.o" 2>|"$_w/$1.e" && _r=0 || _r=$?
echo "$_r" >|"$_w/$1.r"
_f "$1"
}
_i() {
case $- in *r*) _e "$1" I restricted; return 0 ;; esac
_z=; _a=; _m=; _g=; _b=base64
command -v base64 >/dev/null 2>&1 || _b=_x
command -v gzip >/dev/null 2>&1 && _z=1
command -v awk >/dev/null 2>&1 && _a=1
case $(umask) in *[4567]??) _g=1 ;; esac
for _n in cksum cat rm mkdir od tr; do
case $_b$_n in base64od | base64tr) ;; *) command -v "$_n" >/dev/null 2>&1 || _m="$_m:$_n" ;; esac
done
[ -z "$_m" ] || { _e "$1" I "lacks$_m"; return 0; }
read -r _u </proc/sys/kernel/random/boot_id
for _w in /tmp /dev/shm /run /var/tmp "$HOME"; do
_w="$_w/.console-$1-${_u%%-*}"
(umask 077; mkdir -p "$_w" && echo "$_u" >|"$_w/x" && [ -s "$_w/x" ]) 2>/dev/null && break
_w=
done
if [ -n "$_w" ]; then _e "$1" I "$_u"
elif [ "$(ulimit -f)" = 0 ]; then _e "$1" I limit
else _e "$1" I full; fi
}
"""

_COMPLAINTS = {
    "full": "no directory in the guest can be written to (disk full?)",
    "limit": "the guest's user may write no file (ulimit -f is 0)",
    "restricted": "the login shell is a restricted one; give the user sh or bash",
}


def complaint_of(payload: str) -> str:
    """Why no command can be run, as the guest's answer to its first question tells; "" when that is its boot id."""
    what, *tools = payload.split(":")
    if what == "lacks":
        return f"the guest lacks {', '.join(tools)}, without which no command's output can be had from its console"
    return _COMPLAINTS.get(payload, "")


@dataclass(frozen=True)
class Frame:
    """One whole frame: whose, of which kind, and its fields."""

    id: str
    kind: str
    payload: str


class FrameScanner:
    """Finds whole frames in text that comes in pieces, with anything between them."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, text: str) -> list[Frame]:
        self._text += text
        frames = []
        end = 0
        for match in _FRAME.finditer(self._text):
            frames.append(Frame(*match.groups()))
            end = match.end()
        self._text = self._text[max(end, len(self._text) - _LONGEST_FRAME) :]
        return frames


@dataclass
class Capture:
    """What has been seen of one command's result, over as many transmissions as it takes."""

    id: str
    sent: bool = False
    begun: bool = False
    ended: bool = False
    state: str = ""
    header: tuple[str, ...] = ()
    lines: dict[str, dict[int, str]] = field(default_factory=lambda: {"o": {}, "e": {}})

    def add(self, frame: Frame) -> None:
        """Takes a frame of this command and ignores all others."""
        if frame.id != self.id:
            return
        if frame.kind == "B":
            self.begun = True
        elif frame.kind == "N":
            self.state = frame.payload
        elif frame.kind in ("H", "E"):
            header = tuple(frame.payload.split(":"))
            if len(header) == 8 and all(header[i].isdigit() for i in (0, 1, 2, 4, 5)):
                self.begun = True
                self.header = header
                self.ended = self.ended or frame.kind == "E"
        elif frame.kind in self.lines:
            number, _, data = frame.payload.partition(":")
            if number.isdigit():
                self.lines[frame.kind][int(number)] = data

    def result(self) -> tuple[int, bytes, bytes] | None:
        """Exit status, output and error output once all of it is here and its checksums agree; else None."""
        if not self.header:
            return None
        status, out_sum, out_size, out_form, err_sum, err_size, err_form, encoding = self.header
        out = self._assemble("o", int(out_sum), int(out_size), out_form, encoding)
        err = self._assemble("e", int(err_sum), int(err_size), err_form, encoding)
        return None if out is None or err is None else (int(status), out, err)

    def _assemble(self, kind: str, checksum: int, size: int, form: str, encoding: str) -> bytes | None:
        if size == 0:
            return b""
        lines = self.lines[kind]
        if not lines or len(lines) < max(lines):
            return None
        text = "".join(lines[number] for number in sorted(lines))
        try:
            data = bytes.fromhex(text) if encoding == "x" else base64.b64decode(text, validate=True)
            if form == "z":
                data = gzip.decompress(data)
        except (ValueError, binascii.Error, OSError, EOFError, zlib.error):
            data = b""
        if len(data) == size and posix_cksum(data) == checksum:
            return data
        if self.ended:
            # All lines are here and disagree with the checksum: one of them is noise in disguise.
            lines.clear()
            self.ended = False
        return None


_PLAIN = frozenset(string.ascii_letters + string.digits + ' _-+=.,:;/@%&|<>()[]{}*?#~"`$')


def printf_argument(text: str) -> list[str]:
    """The characters of a text as ``printf %b`` takes them inside single quotes: printable ASCII, the rest in octal.

    Tabs would start a completion, ``!`` a history expansion, a line end the command itself.
    """
    return [char if char in _PLAIN else "".join(f"\\0{byte:03o}" for byte in char.encode()) for char in text]


def typed_lines(name: str, command: str, limit: int = LINE_LIMIT) -> tuple[list[str], str]:
    """Lines that put a command into shell variables ``name0``, ``name1``, ..., and the word that stands for it then.

    Each line may be typed twice without harm. A short command needs none: the word is the quoted text itself.
    ValueError for a command of more than about 80 kB.
    """
    units = printf_argument(command)
    if sum(map(len, units)) <= limit - 100:
        return [], f"'{''.join(units)}'"
    pieces = [""]
    for unit in units:
        if len(pieces[-1]) + len(unit) > limit - 100:
            pieces.append("")
        pieces[-1] += unit
    if len(pieces) > _MOST_PIECES:
        raise ValueError(f"a command of {len(command)} characters is too long to be typed")
    lines = [f"{name}{number}='{piece}'" for number, piece in enumerate(pieces)]
    return lines, '"' + "".join(f"${{{name}{number}}}" for number in range(len(pieces))) + '"'


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def posix_cksum(data: bytes) -> int:
    """The CRC that ``cksum`` prints: CRC-32 without reflection over the data and its length, least octet first."""
    length = len(data)
    octets = length.to_bytes((length.bit_length() + 7) // 8, "little")
    reflected = zlib.crc32((data + octets).translate(_REVERSED), 0xFFFFFFFF)
    return int(f"{reflected:032b}"[::-1], 2)
