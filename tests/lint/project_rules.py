# SPDX-License-Identifier: Apache-2.0
"""Project rules for Robocop, where it has no built-in one: what a test may be made of, and which tags there are."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from robocop.linter.rules import Rule, RuleSeverity, VisitorChecker
from robot.api import Token

# Imported by path, so the tools of the test plan are not on sys.path here; the vocabulary is data.
VOCABULARY = Path(__file__).resolve().parents[2] / "testplan" / "tags.yaml"
FORBIDDEN_IN_TESTS = frozenset({"evaluate", "runkeywordif", "runkeywordunless"})
FORBIDDEN_ANYWHERE = frozenset({"sleep", "runkeywordandignoreerror", "waituntilkeywordsucceeds"})


class LogicInTestRule(Rule):  # type: ignore[misc]
    """A test is a claim that a VM owner can read: control structures and Evaluate belong into keywords.

    Example:

        *** Test Cases ***
        VM Is Swapped
            IF    ${GATE}    Change VM Network    ${VM}
    """

    name = "logic-in-test"
    rule_id = "NAD01"
    message = "Test '{test}' uses {what}; put it into a keyword"
    severity = RuleSeverity.ERROR
    added_in_version = "9.1.0"


class BlindWaitRule(Rule):  # type: ignore[misc]
    """Sleeping and retrying keywords hide what was awaited: wait for an event instead."""

    name = "blind-wait"
    rule_id = "NAD02"
    message = "'{keyword}' waits or fails without saying for what; use a keyword that waits for an event"
    severity = RuleSeverity.ERROR
    added_in_version = "9.1.0"


class UnknownTagRule(Rule):  # type: ignore[misc]
    """Tags are a closed vocabulary: testplan/tags.yaml, explained in docs/tags.md."""

    name = "unknown-tag"
    rule_id = "NAD03"
    message = "Tag '{tag}' is not in the vocabulary of testplan/tags.yaml"
    severity = RuleSeverity.ERROR
    added_in_version = "9.1.0"


class TestWithoutRequirementsRule(Rule):  # type: ignore[misc]
    """Each test says which requirement rows it proves."""

    name = "test-without-requirements"
    rule_id = "NAD04"
    message = "Test '{test}' has no [Metadata] Requirements with rows of the test plan"
    severity = RuleSeverity.ERROR
    added_in_version = "9.1.0"


class ProjectChecker(VisitorChecker):  # type: ignore[misc]
    """Visits every file once for all project rules."""

    logic_in_test: LogicInTestRule
    blind_wait: BlindWaitRule
    unknown_tag: UnknownTagRule
    test_without_requirements: TestWithoutRequirementsRule

    def __init__(self) -> None:
        super().__init__()
        self._test = ""

    def visit_TestCase(self, node: Any) -> None:  # noqa: N802 (names of Robot's visitor)
        self._test = node.name
        if not any(_names_rows(statement) for statement in node.body):
            self.report(self.test_without_requirements, node=node, test=node.name)
        self.generic_visit(node)
        self._test = ""

    def visit_If(self, node: Any) -> None:  # noqa: N802
        self._structure(node, "IF")

    def visit_For(self, node: Any) -> None:  # noqa: N802
        self._structure(node, "FOR")

    def visit_While(self, node: Any) -> None:  # noqa: N802
        self._structure(node, "WHILE")

    def visit_Try(self, node: Any) -> None:  # noqa: N802
        self._structure(node, "TRY")

    def visit_KeywordCall(self, node: Any) -> None:  # noqa: N802
        self._keywords(node, [node.keyword or "", *node.args])

    def visit_Fixture(self, node: Any) -> None:  # noqa: N802
        self._keywords(node, [node.name or "", *node.args])

    visit_SuiteSetup = visit_SuiteTeardown = visit_TestSetup = visit_TestTeardown = visit_Fixture  # noqa: N815
    visit_Setup = visit_Teardown = visit_Fixture  # noqa: N815

    def visit_Tags(self, node: Any) -> None:  # noqa: N802
        self._tags(node)

    visit_TestTags = visit_DefaultTags = visit_Tags  # noqa: N815

    def _structure(self, node: Any, what: str) -> None:
        if self._test:
            self.report(self.logic_in_test, node=node, test=self._test, what=what)
        self.generic_visit(node)

    def _keywords(self, node: Any, words: list[str]) -> None:
        """Arguments are looked at, too: a keyword may be handed to another one that runs it."""
        for word in words:
            name = re.sub(r"[\s_]", "", word).lower().removeprefix("builtin.")
            if name in FORBIDDEN_ANYWHERE:
                self.report(self.blind_wait, node=node, keyword=word)
            if self._test and name in FORBIDDEN_IN_TESTS:
                self.report(self.logic_in_test, node=node, test=self._test, what=word)

    def _tags(self, node: Any) -> None:
        for token in node.get_tokens(Token.ARGUMENT):
            if not _vocabulary().fullmatch(token.value):
                self.report(self.unknown_tag, node=node, lineno=token.lineno, col=token.col_offset + 1, tag=token.value)


def _names_rows(statement: Any) -> bool:
    values = [token.value for token in getattr(statement, "tokens", ()) if token.type not in Token.NON_DATA_TOKENS]
    return (
        len(values) >= 3
        and values[0].strip("[]").lower() == "metadata"
        and values[1] == "Requirements"
        and re.fullmatch(r"R\d+(,\s*R\d+)*", " ".join(values[2:])) is not None
    )


@cache
def _vocabulary() -> re.Pattern[str]:
    rows = yaml.safe_load(VOCABULARY.read_text(encoding="utf-8"))
    return re.compile("|".join(row.get("pattern") or re.escape(row["tag"]) for row in rows))
