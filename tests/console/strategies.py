# SPDX-License-Identifier: Apache-2.0
"""Dialogues as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.console.dialogues import ACCIDENTS, SOFT, STATES, Dialogue, Step
from tests.console.programs import WISHES, Getty
from tests.console.shell import MANNERS, Command

NOISES = (
    b"[  558.663429] burst 0\r\n",
    b"\r\nBroadcast message from root@vm (Sun Nov 22):\r\n\r\nlogin: \r\n",
    b"\x1b[6n",
    b"\x13\x11",
    b"\x07",
    b"\xe2\x82",
    b"\xff\x00\x9b",
    b"\x1b]0;title",
    b"\x1b[31m",
    b"vm-under-test login: ",
    b"Password: ",
    b"tester@vm:~$ ",
    b"@@",
    b"@@x1:E:0:0:0:p:0:0:p:base64@@",
    b"[1]+  Done                    sleep 3\r\n",
)
SAID = (
    b"vm login: \n",
    b"Password: \n",
    b"tester@vm:~$ ",
    b"@@x1:o:1:QUJD@@\n",
    b"line\r\n",
    b"\xff\xfe\x00",
    b"\x1b[2J",
)
ENOUGH = 5000.0
TIMES = (0.3, 2.0, 10.0, 60.0, 400.0, 1000.0)

outputs = st.one_of(
    st.just(b""),
    st.binary(max_size=300),
    st.lists(st.sampled_from(SAID), max_size=8).map(b"".join),
    st.builds(lambda seed, size: (b"%d\n" % seed) * size, st.integers(0, 99), st.sampled_from([10, 700, 7000])),
)
texts = st.one_of(
    st.just(""),
    st.text(st.characters(codec="utf-8"), max_size=60),
    st.builds(lambda text, size: text * size, st.sampled_from(["'", "x", "é\t!", "a;b\n"]), st.sampled_from([40, 300])),
)
middles = st.sampled_from([*[""] * 4, *(what for what in ACCIDENTS if what not in ("freeze", "typing-kick"))])


def _gettys(*wishes: str) -> st.SearchStrategy[Getty]:
    return st.builds(
        Getty,
        boot=st.sampled_from([3, 30]),
        prompt=st.sampled_from([0.1, 2, 9]),
        start=st.sampled_from([0.3, 3, 20]),
        asks=st.sampled_from(["", *wishes]),
    )


@st.composite
def steps(draw: st.DrawFn, *, calm: bool) -> list[Step]:
    """One to four commands; no two have the same text."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        command = Command(
            f"command-{number} {draw(texts)}",
            draw(outputs),
            draw(outputs),
            draw(st.sampled_from([0, 1, 2, 127, 137, 255])),
            draw(st.sampled_from([0.0, 0.0, 0.2, 3.0, 30.0])),
            draw(st.sampled_from(["", "", "", *SOFT]) if calm else middles),
        )
        found.append(Step(command, ENOUGH if calm else draw(st.sampled_from(TIMES)), draw(st.booleans())))
    return found


def _dialogues(*, calm: bool) -> st.SearchStrategy[Dialogue]:
    moments = st.floats(0, 60, allow_nan=False).map(lambda moment: round(moment, 2))
    accident = st.tuples(moments, st.sampled_from(SOFT if calm else ACCIDENTS))
    return st.builds(
        Dialogue,
        steps=steps(calm=calm),
        manner=st.sampled_from(sorted(MANNERS)),
        state=st.sampled_from(STATES),
        speed=_gettys() if calm else _gettys("", "", "", *WISHES),
        noise=st.sampled_from([0.0, 0.02] if calm else [0.0, 0.02, 0.1, 0.5]),
        noises=st.lists(st.sampled_from(NOISES), min_size=1, max_size=3).map(tuple),
        # The last is large: most of the time would go to reading byte after byte.
        cut=st.tuples(st.sampled_from([1, 7, 60]), st.sampled_from([1, 7, 60, 4096]), st.sampled_from([60, 200, 4096])),
        seed=st.integers(0, 2**32),
        encoding=st.sampled_from(["base64", "base64", "x"]),
        accidents=st.lists(accident, max_size=3).map(tuple),
    )


dialogues = st.one_of(_dialogues(calm=True), _dialogues(calm=False))
"""In the first sort every command must come to its true end; in the second it may, or end in one clear error."""
