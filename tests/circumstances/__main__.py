# SPDX-License-Identifier: Apache-2.0
"""Writes docs/circumstances.md; ends with 1 where a mark is wrong."""

from __future__ import annotations

import sys

from tests.circumstances.marks import read_marks
from tests.circumstances.page import PAGE, page


def main() -> int:
    """Write the page, unless a mark is wrong."""
    marks = read_marks()
    mistakes = [line for one in marks for line in one.mistakes()]
    for line in mistakes:
        print(line)
    if not mistakes:
        PAGE.write_text(page(marks), encoding="utf-8")
        print(f"{PAGE}: {len(marks)} circumstances")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
