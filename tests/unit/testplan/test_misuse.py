# SPDX-License-Identifier: Apache-2.0
"""Robot's own words for a suite that is wrong, each as Robot itself says it: the fault is the suite's."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import pytest
from robot.run import run as run_robot

from testplan.misuse import WORDINGS, is_misuse
from testplan.results import Outcome, Verdict, failures, read_results, verdict_of_failure

LIBRARY = """\
from robot.api.deco import keyword
from robot.utils import Secret

class TableError(ValueError): pass

class Odd:
    __slots__ = ()
    def __getitem__(self, item): raise OSError("odd")

def number(a: int, b=1): pass
def named(*, need, other=1): pass
def rest(a, *more): pass
def secret(a: Secret): pass
def twice(): pass
def key_error(): return {}["x"]
def no_words(): raise ValueError
def own_error(): raise TableError("x")
def odd(): return Odd()
def text(): return "x"
"""
BROKEN_LIBRARY = "class broken:\n    def __init__(self): raise ValueError('no')\n"
NAMELESS_LIBRARY = """\
class nameless:
    def get_keyword_names(self): raise ValueError("x")
    def run_keyword(self, name, args): pass
"""
SETTINGS = """\
*** Settings ***
Library     library.py
Resource    other.resource
Resource    another.resource

*** Variables ***
@{LIST}    a
&{DICT}    a=b
${TEXT}    x

"""
KEYWORDS = """\
*** Keywords ***
Two Arguments
    [Arguments]    ${a}    ${b}
    Log    ${a} ${b}

Typed
    [Arguments]    ${a: int}=x
    Log    ${a}

Wrong Arguments
    [Arguments]    a
    Log    x

Wrong Type
    [Arguments]    ${a: nosuch}
    Log    x

Wrong Default
    [Arguments]    ${a}=${NOPE}
    Log    x

Wrong Return
    RETURN    ${NOPE}

Wrong Setting
    [Template]    Log
    Log    x

Wrong Timeout
    [Timeout]    nonsense
    Log    x

Empty

Same Name
    Log    x

Same Name
    Log    y

Endless
    Endless
"""
FILES = {
    "library.py": LIBRARY,
    "broken.py": BROKEN_LIBRARY,
    "nameless.py": NAMELESS_LIBRARY,
    "other.resource": "*** Keywords ***\nIn Both\n    Log    x\n",
    "another.resource": "*** Keywords ***\nIn Both\n    Log    x\n",
    "tests.resource": "*** Test Cases ***\nA\n    Log    x\n",
    "__init__.resource": "*** Keywords ***\nA\n    Log    x\n",
    "half.json": '{"a": ',
    "list.yaml": "- 1\n",
}

# What a test does, and how Robot's message begins.
CASES = [
    # keywords
    ("Nope", "No keyword with name 'Nope' found."),
    ("Logg    x", "No keyword with name 'Logg' found. Did you mean:"),
    ("In Both", "Multiple keywords with name 'In Both' found"),
    ("Same Name", "Keyword with same name defined multiple times."),
    ("${EMPTY}", "Keyword name cannot be empty."),
    ("Run Keyword    ${5}", "Keyword name must be a string."),
    ("Run Keyword    @{EMPTY}", "Keyword name missing: "),
    ("Empty", "User keyword cannot be empty."),
    ("", "Test cannot be empty."),
    (": FOR    ${i}    IN    a", "Support for the old FOR loop syntax has been removed."),
    ("Endless", "Recursive execution stopped."),
    # arguments
    ("Number", "Keyword 'library.Number' expected 1 to 2 arguments, got 0."),
    ("Two Arguments    1    2    3", "Keyword 'Two Arguments' expected 2 arguments, got 3."),
    ("Rest", "Keyword 'library.Rest' expected at least 1 argument, got 0."),
    ("Named    1    need=2", "Keyword 'library.Named' expected 0 non-named arguments, got 1."),
    ("Named", "Keyword 'library.Named' missing named-only argument 'need'."),
    ("Named    need=1    a=2", "Keyword 'library.Named' got unexpected named argument 'a'."),
    ("Named    need=1    a=2    b=3", "Keyword 'library.Named' got unexpected named arguments 'a' and 'b'."),
    ("Number    b=1", "Keyword 'library.Number' missing value for argument 'a'."),
    ("Number    1    a=2", "Keyword 'library.Number' got multiple values for argument 'a'."),
    ("Number    a=1    2", "Keyword 'library.Number' got positional argument after named arguments."),
    ("Named    &{{ {1: 2} }}", "Argument names must be strings."),
    ("Wrong Default", "Resolving argument default values failed: "),
    ("Wrong Arguments", "Invalid argument specification: Invalid argument syntax 'a'."),
    ("Wrong Type", "Invalid argument specification: Invalid argument '${a: nosuch}'"),
    # values that are converted
    ("Number    x", "ValueError: Argument 'a' got value 'x' that cannot be converted to integer."),
    ("Number    ${LIST}", "ValueError: Argument 'a' got value '['a']' (list) that cannot be converted to integer."),
    ("Typed", "ValueError: Default value for argument 'a' got value 'x' that cannot be converted to integer."),
    ("Sleep    x", "ValueError: Argument 'time_' got value 'x' that cannot be converted to timedelta: "),
    ("${a: int} =    Text", "ValueError: Return value 'x' cannot be converted to integer."),
    ("Secret    x", "ValueError: Argument 'a' must have type 'Secret', got string."),
    # variables
    ("Log    ${NOPE}", "Variable '${NOPE}' not found."),
    ("Log    %{NOPE_NOWHERE}", "Environment variable '%{NOPE_NOWHERE}' not found."),
    ("Log    ${TEXT.nope}", "Resolving variable '${TEXT.nope}' failed: AttributeError: "),
    ("Log    ${{nope}}", "Resolving variable '${{nope}}' failed: Evaluating expression 'nope' failed: NameError: "),
    ("Evaluate    nope", "Evaluating expression 'nope' failed: NameError: "),
    ("Should Be True    nope", "Evaluating expression 'nope' failed: NameError: "),
    ("Log    ${LIST}[3]", "List '${LIST}' has no item in index 3."),
    ("Log    ${LIST}[x]", "List '${LIST}' used with invalid index 'x'."),
    ("Log    ${DICT}[x]", "Dictionary '${DICT}' has no key 'x'."),
    ("Log    ${DICT}[${{[]}}]", "Dictionary '${DICT}' used with invalid key: "),
    ("Log    ${5}[1]", "Variable '${5}' is integer, which is not subscriptable"),
    ("${a} =    Odd\nLog    ${a}[x]", "Accessing '${a}[x]' failed: OSError: odd"),
    ("Log    @{TEXT}", "Value of variable '@{TEXT}' is not list or list-like."),
    ("Log    &{TEXT}", "Value of variable '&{TEXT}' is not dictionary or dictionary-like."),
    ("Log    ${TEXT", "Variable '${TEXT' was not closed properly."),
    ("Log    ${LIST}[0", "Variable item '${LIST}[0' was not closed properly."),
    ("&{a} =    Text", "Setting variable '&{a}' failed: Expected dictionary-like value, got string."),
    ("VAR    ${a: int}    x", "Setting variable '${a: int}' failed: Value 'x' cannot be converted to integer."),
    ("${a}    ${b} =    Text", "Cannot set variables: Expected list-like value, got string."),
    ("${a} =    Odd\n${a.b} =    Text", "Setting '${a.b}' failed: AttributeError: "),
    ("${LIST}[x] =    Text", "Setting value to list variable '${LIST}' at index [x] failed: TypeError: "),
    ("${TEXT}[0] =    Text", "Variable '${TEXT}' is string and does not support item assignment."),
    ("Wrong Return", "Replacing variables from keyword return value failed: "),
    ("VAR    a    x", "Invalid variable name 'a'."),
    ("VAR    ${a: nosuch}    x", "Invalid variable '${a: nosuch}': Unrecognized type 'nosuch'."),
    ("VAR    &{a}    x", "Invalid dictionary variable item 'x'."),
    ("${a} =    ${b} =    Text", "Assign mark '=' can be used only with the last variable."),
    ("@{a}    @{b} =    Text", "Assignment can contain only one list variable."),
    ("&{a}    ${b} =    Text", "Dictionary variable cannot be assigned with other variables."),
    # imports
    ("Import Library    nope.nope", "Importing library 'nope.nope' failed: ModuleNotFoundError: "),
    ("Import Library    nope.py", "Library 'nope.py' does not exist."),
    ("Import Library    OperatingSystem    x", "Library 'OperatingSystem' expected 0 arguments, got 1."),
    ("Import Library    ${CURDIR}/broken.py", "Initializing library 'broken' with no arguments failed: ValueError: no"),
    ("Import Library    ${CURDIR}/nameless.py", "Getting keyword names from library 'nameless' failed: "),
    ("Get Library Instance    Nope", "No library 'Nope' found."),
    ("Import Resource    nope.resource", "Resource file 'nope.resource' does not exist."),
    ("Import Resource    ${CURDIR}/tests.resource", "Error in file '"),
    ("Import Resource    ${CURDIR}/__init__.resource", "Initialization file '"),
    ("Import Resource    ${CURDIR}/half.json", "Parsing JSON resource file '"),
    ("Import Resource    ${CURDIR}/library.py", "Invalid resource file extension '.py'."),
    ("Import Variables    nope.py", "Variable file 'nope.py' does not exist."),
    ("Import Variables    ${CURDIR}/list.yaml", "Processing variable file '"),
    # settings
    ("[Nonsense]    x\nLog    x", "Non-existing setting 'Nonsense'."),
    ("[Arguments]    x\nLog    x", "Setting 'Arguments' is not allowed with tests or tasks."),
    ("Wrong Setting", "Setting 'Template' is not allowed with user keywords."),
    ("[Tags]    a\n[Tags]    b\nLog    x", "Setting 'Tags' is allowed only once."),
    ("[Timeout]    1    2\nLog    x", "Setting 'Timeout' accepts only one value, got 2."),
    ("[Timeout]    nonsense\nLog    x", "Setting test timeout failed: Invalid time string 'nonsense'."),
    ("Wrong Timeout", "Setting keyword timeout failed: Invalid time string 'nonsense'."),
    # control structures
    ("FOR    ${i}    IN    a\n    Log    x", "FOR loop must have closing END."),
    ("FOR    ${i}    IN    a\nEND", "FOR loop cannot be empty."),
    ("FOR    ${i}    IN\n    Log    x\nEND", "FOR loop has no values."),
    ("FOR    ${i}    IN\n    Log    x", "Multiple errors:\n- FOR loop has no values."),
    ("FOR    i    IN    a\n    Log    x\nEND", "Invalid FOR loop variable 'i'."),
    ("FOR    ${i}    ${j}    IN    a\n    Log    x\nEND", "Number of FOR loop values should be multiple of its "),
    ("FOR    ${i: int}    IN    a\n    Log    x\nEND", "ValueError: FOR loop variable '${i: int}' got value 'a' that "),
    ("FOR    ${i}    IN RANGE    a\n    Log    x\nEND", "Converting FOR IN RANGE values failed: "),
    ("FOR    ${i}    IN ZIP    ${5}\n    Log    x\nEND", "FOR IN ZIP items must be list-like"),
    ("FOR    ${i}    IN ENUMERATE    a    start=x\n    Log    x\nEND", "Invalid FOR IN ENUMERATE start value: "),
    ("IF    nope\n    Log    x\nEND", "Invalid IF condition: Evaluating expression 'nope' failed: "),
    ("IF\n    Log    x\nEND", "IF must have a condition."),
    ("IF    True\nEND", "IF branch cannot be empty."),
    ("IF    True    IF    True    Log    x", "Inline IF cannot be nested."),
    ("IF    1\n    Log    x\nELSE\n    Log    y\nELSE\n    Log    z\nEND", "Only one ELSE allowed."),
    ("IF    1\n    Log    x\nELSE\n    Log    y\nELSE IF    1\n    Log    z\nEND", "ELSE IF not allowed after ELSE."),
    (
        "IF    1\n    Log    x\nELSE IF    1    2\n    Log    y\nEND",
        "ELSE IF cannot have more than one condition, got ",
    ),
    ("WHILE    nope\n    Log    x\nEND", "Invalid WHILE loop condition: "),
    ("WHILE    True    limit=x\n    Log    x\nEND", "Invalid WHILE loop limit: Invalid time string 'x'."),
    ("WHILE    1    2\n    Log    x\nEND", "WHILE accepts only one condition, got 2 conditions "),
    ("WHILE    True    limit=2    on_limit=x\n    Log    x\nEND", "WHILE option 'on_limit' does not accept value 'x'."),
    ("WHILE    True    on_limit=pass\n    Log    x\nEND", "WHILE option 'on_limit' cannot be used without 'limit'."),
    ("[Template]    Log\nWHILE    True\n    x\nEND", "WHILE does not support templates."),
    ("TRY\n    Log    x\nEND", "TRY structure must have EXCEPT or FINALLY branch."),
    ("TRY\n    Fail    x\nEXCEPT    x    AS\n    Log    x\nEND", "EXCEPT AS requires a value."),
    (
        "TRY\n    Log    x\nEXCEPT\n    Log    x\nEXCEPT    x\n    Log    x\nEND",
        "EXCEPT without patterns must be last.",
    ),
    ("TRY\n    Fail    x\nEXCEPT    x    type=${TEXT}\n    Log    x\nEND", "Invalid EXCEPT pattern type 'x'."),
    ("GROUP    1    2\n    Log    x\nEND", "GROUP accepts only one argument as name, got 2 arguments "),
    ("IF    True    RETURN", "RETURN can only be used inside a user keyword."),
    ("BREAK", "BREAK is not allowed in this context."),
    ("VAR    ${a}    x    scope=nope", "VAR option 'scope' does not accept value 'nope'."),
    ("VAR    ${a}    x    scope=${NOPE}", "Invalid VAR scope: Variable '${NOPE}' not found."),
    # keywords of BuiltIn
    ("Exit For Loop", "'Exit For Loop' can only be used inside a loop."),
    (
        "Run Keyword If Test Failed    Log    x",
        "Keyword 'Run Keyword If Test Failed' can only be used in test teardown.",
    ),
    ("Run Keywords    AND    Log    x", "AND must have keyword before and after."),
    ("Run Keyword If    True    Log    x    ELSE", "ELSE requires keyword."),
    ("Create Dictionary    a", "Expected even number of keys and values, got 1."),
    ("Set Suite Variable    $a    1    2", "Setting list value to scalar variable '${a}' is not supported anymore."),
    ("Should Contain Any    x", "One or more item required."),
    ("Set Variable If    True", "At least one value is required."),
    ("Pass Execution    ${EMPTY}", "Message cannot be empty."),
    ("Get Length    ${5}", "Could not get length of '5'."),
    ("Get Count    ${5}    x", "Converting '5' to list failed: "),
    ("Call Method    ${TEXT}    nope", "str object does not have method 'nope'."),
    ("Call Method    ${DICT}    pop    nope", "Calling method 'pop' failed: KeyError: 'nope'"),
    ("Wait Until Keyword Succeeds    x    1s    Log    y", "ValueError: Invalid retry value 'x'."),
    # unintended exceptions
    ("Key Error", "KeyError: 'x'"),
    ("No Words", "ValueError"),
    ("Own Error", "TableError: x"),
    ("Should Contain    ${5}    x", "TypeError: "),
    ("Should Match Regexp    x    (", f"{re.error.__name__}: "),
    # told by what tried again
    (
        "Wait Until Keyword Succeeds    2x    0s    Nope",
        "Keyword 'Nope' failed after retrying 2 times. The last error ",
    ),
    # the author's own word
    ("Fail    TEST ERROR: give both NICs an address", "TEST ERROR: give both NICs an address"),
]
PRODUCT = [
    "Fail",
    "Fail    NIC still on blue",
    "Fail    VM demo/web: expected its KubeVirt condition; No keyword with name 'x' found.",
    "Fail    A TEST ERROR: in the middle",
    "Should Be Equal    blue    green",
    "Should Be True    1 == 2",
    "Variable Should Exist    ${NOPE}",
    "Wait Until Keyword Succeeds    2x    0s    Fail    NIC still on blue",
    "WHILE    True    limit=2\n    No Operation\nEND",
    "Nope\n[Teardown]    Fail    NIC still on blue",
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """All of them, run by Robot as tests of one suite, by what they do."""
    folder = tmp_path_factory.mktemp("misuse")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    bodies = [*(body for body, _ in CASES), *PRODUCT]
    tests = [f"Test {number}\n{textwrap.indent(body, '    ')}\n" for number, body in enumerate(bodies)]
    suite = folder / "suite.robot"
    suite.write_text("\n".join([SETTINGS + "*** Test Cases ***", *tests, KEYWORDS]), encoding="utf-8")
    output = folder / "output.xml"
    with (folder / "printed").open("w") as printed:
        run_robot(suite, output=str(output), log=None, report=None, console="none", stderr=printed)
    return dict(zip(bodies, read_results(output).outcomes, strict=True))


@pytest.mark.parametrize(("body", "said"), CASES)
def test_a_suite_that_is_wrong_is_to_blame_itself(outcomes: dict[str, Outcome], body: str, said: str) -> None:
    assert outcomes[body].message.startswith(said)
    assert outcomes[body].verdict is Verdict.TEST_ERROR


@pytest.mark.parametrize("body", PRODUCT)
def test_what_a_suite_judges_is_not_the_suites_fault(outcomes: dict[str, Outcome], body: str) -> None:
    assert outcomes[body].verdict is Verdict.FAIL, outcomes[body].message


def test_no_wording_is_there_for_nothing(outcomes: dict[str, Outcome]) -> None:
    said = [part for body, _ in CASES for part in failures(outcomes[body].message)]
    unused = [one for one in WORDINGS if not any(re.match(one, part, re.DOTALL) for part in said)]
    # These come with another name before them, or from a suite's teardown; see the tests below. Since Python 3.13 an
    # error of a regular expression is a PatternError.
    elsewhere = ["cannot be converted", "suite (?:setup", *(["error: "] if sys.version_info >= (3, 13) else [])]
    assert [one for one in unused if not any(words in one for words in elsewhere)] == []


@pytest.mark.parametrize(
    "message",
    [
        "Argument 'within' got value 'soon' that cannot be converted to timedelta: Invalid time string 'soon'.",
        "Argument 'count' got value '[]' (list) that cannot be converted to integer.",
        "Argument 'key' must have type 'Secret', got string.",
        "'Set Tags' cannot be used in suite teardown.",
        "'Set Test Message' keyword cannot be used in suite setup or teardown.",
    ],
)
def test_words_that_robot_says_elsewhere_count_as_well(message: str) -> None:
    assert is_misuse(message)


LAB, SUITE, PRODUCTS = "LAB ERROR: dead", "TEST ERROR: no such NIC", "NIC still on blue"


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        (f"Setup failed:\n{SUITE}", Verdict.TEST_ERROR),
        (f"Parent suite setup failed:\n{SUITE}", Verdict.TEST_ERROR),
        (f"Parent suite setup failed:\n{LAB}", Verdict.LAB_ERROR),
        ("Parent suite setup failed:\nNo keyword with name 'Nope' found.", Verdict.TEST_ERROR),
        (f"Parent suite setup failed:\n{LAB}\n\nAlso parent suite teardown failed:\n{SUITE}", Verdict.TEST_ERROR),
        (f"{LAB}\n\nAlso teardown failed:\n{SUITE}", Verdict.TEST_ERROR),
        (f"{SUITE}\n\nAlso teardown failed:\n{LAB}", Verdict.TEST_ERROR),
        (f"{SUITE}\n\nAlso teardown failed:\n{PRODUCTS}", Verdict.FAIL),
        (f"Several failures occurred:\n\n1) {LAB}\n\n2) {SUITE}", Verdict.TEST_ERROR),
        (f"Several failures occurred:\n\n1) {LAB}\n\n2) {SUITE}\n\n3) {PRODUCTS}", Verdict.FAIL),
        (f"Keyword teardown failed:\n{LAB}", Verdict.LAB_ERROR),
        (f"{LAB}\n\nAlso keyword teardown failed:\n{SUITE}", Verdict.TEST_ERROR),
        (
            f"Several failures occurred:\n\n1) {LAB}\n\nAlso keyword teardown failed:\n{LAB}\n\n2) {PRODUCTS}",
            Verdict.FAIL,
        ),
        (
            f"{LAB}\n\nAlso keyword teardown failed:\nSeveral failures occurred:\n\n1) {LAB}\n\n2) {SUITE}",
            Verdict.TEST_ERROR,
        ),
        (f"Keyword 'X' failed after retrying for 1 second. The last error was: {LAB}", Verdict.LAB_ERROR),
        ("Test execution stopped due to a fatal error.", Verdict.NOT_RUN),
        ("", Verdict.FAIL),
    ],
)
def test_the_worst_of_several_failures_is_the_verdict(message: str, verdict: Verdict) -> None:
    assert verdict_of_failure(message) is verdict


def test_failures_of_keywords_teardowns_are_taken_apart() -> None:
    nested = "Keyword teardown failed:\nSeveral failures occurred:\n\n1) c\n\n2) d"
    message = f"Several failures occurred:\n\n1) a\n\nAlso keyword teardown failed:\nb\n\n2) {nested}"
    assert failures(message) == ["a", "b", "c", "d"]


def test_a_suite_that_robot_runs_is_to_blame_for_what_its_parent_does(tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    init = "*** Settings ***\nSuite Setup    Fail    LAB ERROR: dead\nSuite Teardown    Set Tags    x\n"
    (tmp_path / "suites" / "__init__.robot").write_text(init, encoding="utf-8")
    (tmp_path / "suites" / "a.robot").write_text("*** Test Cases ***\nFirst\n    No Operation\n", encoding="utf-8")
    run_robot(tmp_path / "suites", output=str(tmp_path / "output.xml"), log=None, report=None, console="none")
    (outcome,) = read_results(tmp_path / "output.xml").outcomes
    assert outcome.told == {
        Verdict.TEST_ERROR: "'Set Tags' cannot be used in suite teardown.",
        Verdict.LAB_ERROR: "LAB ERROR: dead",
    }
