# SPDX-License-Identifier: Apache-2.0
"""Prints the questionnaire."""

from __future__ import annotations

from tests.keyword_choice import questionnaire

if __name__ == "__main__":
    print(questionnaire(), end="")
