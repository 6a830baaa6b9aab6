# SPDX-License-Identifier: Apache-2.0
"""Robot's own words for what is wrong with a suite: broken test data, misused keywords, unintended exceptions.

They are those of Robot 7.5, by the place in its sources from which they come. A message is compared from its start, so
that a product's message that quotes one of them stays what it is. What a keyword judges is not among them: "Should Be
Equal" that finds otherwise tells of the product, and a timeout of the lab.
"""

from __future__ import annotations

import re

_QUOTED = "'.*?'"

# Robot leaves the name out of AssertionError, RuntimeError and its own. A name alone is an exception without a message;
# AssertionError alone is what `Fail` without a message gives, which is meant.
_EXCEPTIONS = (
    r"(?!AssertionError\Z)(?:\w+\.)*[A-Z]\w*(?:Error|Exception|Timeout|Exit|Interrupt)(?:: |\Z)",
    r"error: ",
)
# running/namespace.py, invalidkeyword.py, userkeywordrunner.py, librarykeyword.py, testlibraries.py, context.py
_KEYWORDS = (
    r"No keyword with name '",
    r"Multiple keywords (?:matching|with) name '",
    r"Keyword with same name defined multiple times\.",
    r"Keyword name (?:cannot be empty|must be a string)\.",
    r"Keyword name missing: ",
    r"User keyword (?:name )?cannot be empty\.",
    r"Test (?:name )?cannot be empty\.",
    r"Support for the old FOR loop syntax has been removed\.",
    r"Recursive execution stopped\.",
)
# running/arguments/: argumentvalidator.py, argumentresolver.py, argumentmapper.py, argumentparser.py
_ARGUMENTS = (
    rf"(?:Keyword|Library|Variable file) (?:{_QUOTED} )?(?:expected (?:at least )?\d"
    r"|missing (?:value for argument|named-only arguments?) '"
    r"|got (?:multiple values for argument '|unexpected named arguments? '|positional argument after named arguments))",
    r"Argument names must be strings\.",
    r"Resolving argument default values failed: ",
    r"Invalid argument specification: ",
)
# running/arguments/typeconverters.py. Mostly as a ValueError, with that name before it.
_CONVERSIONS = (
    r"(?:Argument|Default value for argument|FOR loop variable|Return value|Value) (?:'.*' )?"
    r"(?:(?:\(\w+\) )?(?:that )?cannot be converted to |must have type 'Secret', got )",
)
# variables/: notfound.py, finders.py, replacer.py, search.py, assigner.py, evaluation.py, store.py
_VARIABLES = (
    rf"(?:Environment variable|Variable) {_QUOTED} not found\.",
    rf"Variable (?:item )?{_QUOTED} was not closed properly\.",
    rf"Variable {_QUOTED} is .+?(?:, which is not subscriptable| and does not support item assignment\.)",
    rf"Value of variable {_QUOTED} is not (?:list or list|dictionary or dictionary)-like\.",
    rf"Dictionary {_QUOTED} (?:has no key '|used with invalid key: )",
    r"[A-Z]\w* '[$@&]\{.*?\}.*?' (?:has no item in index |used with invalid index ')",
    r"Accessing '[$@&]\{.*?\}.*?' failed: ",
    r"Resolving variable '",
    r"Setting variable '",
    r"Setting '[$@&]\{.*?\}.*?' failed: ",
    r"Setting value to .+? variable '",
    r"Cannot set variables: ",
    r"Replacing variables from (?:keyword return value|setting '.*?') failed: ",
    r"Evaluating expression .+? failed: ",
    r"Invalid variable (?:name )?'",
    r"Invalid dictionary variable item '",
    r"Assign mark '=' can be used only with the last variable\.",
    r"Assignment can contain only one list variable\.",
    r"Dictionary variable cannot be assigned with other variables\.",
)
# utils/importer.py, utils/robotpath.py, running/importer.py, running/testlibraries.py, variables/filesetter.py
_IMPORTS = (
    r"Importing .+? failed: ",
    r"Initializing library '",
    r"Getting keyword names from library '",
    r"Processing variable file '",
    r"Parsing (?:JSON resource file )?'.*?' failed: ",
    rf"(?:Library|Resource file|Variable file) {_QUOTED} does not exist\.",
    rf"Error in file {_QUOTED} on line \d+: ",
    r"Invalid resource file extension '",
    r"Initialization file '.*?' cannot be imported as a resource file\.",
    rf"No library {_QUOTED} found\.",
)
# parsing/lexer/settings.py, running/timeouts/timeout.py
_SETTINGS = (
    r"Non-existing setting '",
    rf"Setting {_QUOTED} (?:is allowed only once\.|accepts only one value, got |is not allowed (?:in|with) )",
    r"Setting (?:test|task|keyword) timeout failed: ",
)
# parsing/model/: blocks.py, statements.py; parsing/lexer/statementlexers.py; running/bodyrunner.py, running/model.py.
# A WHILE that reached its limit is not among them.
_CONTROL = (
    r"(?:FOR|FOR loop|WHILE loop|IF|TRY|GROUP) (?:must have|cannot be empty|has no )",
    r"(?:IF|ELSE IF|ELSE|TRY|EXCEPT|FINALLY) branch cannot be empty\.",
    r"(?:ELSE IF|ELSE|EXCEPT) not allowed after ",
    r"Only one (?:ELSE|FINALLY|EXCEPT without patterns) allowed\.",
    r"EXCEPT without patterns must be last\.",
    r"EXCEPT AS ",
    r"TRY structure must have EXCEPT or FINALLY branch\.",
    r"Inline IF (?:with assignment can only|branches cannot|cannot be)",
    r"[A-Z]+(?: [A-Z]+)* (?:is not allowed in this context\.|does not accept arguments, got |must have a condition\.)",
    r"(?:IF|ELSE IF) cannot have more than one condition, got ",
    r"WHILE accepts only one condition, got ",
    r"GROUP accepts only one argument as name, got ",
    r"(?:RETURN|BREAK|CONTINUE) (?:can only be used inside |cannot be used in FINALLY branch\.)",
    r"[A-Z]+(?: [A-Z]+)* option '.+?' (?:does not accept value '|cannot be used without ')",
    r"Number of FOR ",
    r"FOR IN (?:RANGE|ZIP) (?:loops do not support|expected|items must)",
    r"Converting FOR IN RANGE values failed: ",
    r"Invalid (?:FOR|WHILE) loop ",
    r"Invalid FOR IN (?:ZIP|ENUMERATE) ",
    r"Invalid (?:IF|ELSE IF) condition: ",
    r"Invalid EXCEPT pattern type '",
    r"Invalid VAR scope: ",
    r"[A-Z][\w ]* does not support templates\.",
    r"Multiple errors:\n- ",
)
# libraries/BuiltIn.py: what its keywords say of how they are called
_BUILT_IN = (
    r"'(?:Continue|Exit) For Loop(?: If)?' can only be used inside a loop\.",
    rf"Keyword {_QUOTED} can only be used in (?:test|suite) teardown\.",
    rf"{_QUOTED} (?:keyword )?cannot be used in suite (?:setup or )?teardown\.",
    r"(?:AND must have keyword before and after|(?:ELSE|ELSE IF) requires .+?)\.",
    r"Expected even number of keys and values, got ",
    r"Setting list value to scalar variable '",
    r"(?:One or more item|At least one value is) required\.",
    r"Message cannot be empty\.",
    r"Could not get length of '",
    r"Converting '.*' to list failed: ",
    r"\w+ object does not have method '",
    r"Calling method '.+?' failed: ",
)
# `Wait Until Keyword Succeeds` tries again whatever came.
_TRIED_AGAIN = re.compile(r"Keyword '.+?' failed after retrying .+?\. The last error was: ")
WORDINGS = (
    *_EXCEPTIONS,
    *_KEYWORDS,
    *_ARGUMENTS,
    *_CONVERSIONS,
    *_VARIABLES,
    *_IMPORTS,
    *_SETTINGS,
    *_CONTROL,
    *_BUILT_IN,
)
_MISUSE = re.compile("|".join(f"(?:{wording})" for wording in WORDINGS), re.DOTALL)


def last_error(failure: str) -> str:
    """The failure itself, without what `Wait Until Keyword Succeeds` puts before it."""
    tried = _TRIED_AGAIN.match(failure)
    return failure[tried.end() :] if tried else failure


def is_misuse(failure: str) -> bool:
    """Whether Robot says with this that the suite is wrong."""
    return bool(_MISUSE.match(failure))
