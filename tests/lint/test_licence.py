# SPDX-License-Identifier: Apache-2.0
"""The licence's line: where it stands, and that a file without it is noticed."""

from __future__ import annotations

import pytest

from tests.lint.licence import NOTICE, has_notice, with_notice


@pytest.mark.parametrize(
    "text",
    [
        '"""A module."""\n',
        "#!/bin/sh\nexit\n",
        "*** Settings ***\nLibrary    X\n",
        f"import os\n{NOTICE}",
        f"#!/bin/sh\n\n{NOTICE}",
    ],
)
def test_a_file_without_the_line_gets_it_once(text: str) -> None:
    assert not has_notice(text)
    noticed = with_notice(text)
    assert has_notice(noticed)
    assert noticed.replace(NOTICE, "", 1) == text
    assert noticed.startswith(("#!", "***")) == text.startswith(("#!", "***"))


def test_an_empty_file_needs_none() -> None:
    assert has_notice("")
