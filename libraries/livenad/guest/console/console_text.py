# SPDX-License-Identifier: Apache-2.0
"""From a terminal's bytes to plain text, however the bytes are cut."""

from __future__ import annotations

import codecs
import re

_LONGEST_ESCAPE = 4096

_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor, bracketed paste
    r"|\x1b\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)"  # titles, OSC 3008; a real one has no line end
    r"|\x1b[PX^_][^\x1b\r\n]*\x1b\\"  # device control, application strings
    r"|\x1b[ -/]+[0-~]"  # character sets
    r"|\x1b[0-Z\\`-~]"  # two bytes
)
_UNFINISHED = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b\r\n]*\x1b?|[PX^_][^\x1b\r\n]*\x1b?|[ -/]*)\Z",
)
# Carriage returns frame nothing here; XON and XOFF are flow control that the guest's tty puts into the output.
_SILENT = dict.fromkeys([0x00, 0x07, 0x0D, 0x11, 0x13])


class TerminalText:
    """Decodes incrementally: invalid UTF-8 becomes U+FFFD; escape sequences, CR, NUL, BEL, XON and XOFF go."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""

    def feed(self, data: bytes) -> str:
        """The text that is certain after these bytes; the start of an unfinished escape sequence is kept back."""
        text = self._held + self._decoder.decode(data)
        self._held = ""
        unfinished = _UNFINISHED.search(text)
        if unfinished and len(text) - unfinished.start() < _LONGEST_ESCAPE:
            self._held = text[unfinished.start() :]
            text = text[: unfinished.start()]
        return _ESCAPE.sub("", text).replace("\x1b", "").translate(_SILENT)
