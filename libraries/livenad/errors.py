# SPDX-License-Identifier: Apache-2.0
"""The errors of checks and actions: product fault, lab error, test error.

Robot shows only the message of these errors, so the message begins with a prefix, which the test plan's gate reads.
"""

from __future__ import annotations

from livenad.secret_text import without_secrets

LAB_ERROR_PREFIX = "LAB ERROR: "
TEST_ERROR_PREFIX = "TEST ERROR: "


class ProductFault(AssertionError):
    """The product did not do what a requirement says. Message: object, expected, last seen, how long, where to look."""

    ROBOT_SUPPRESS_NAME = True


class NotReached(ProductFault):
    """A state that was to be reached is not: later states could still bring it, unless its time is over."""

    def __init__(self, message: str, *, overdue: bool = False) -> None:
        super().__init__(message)
        self.overdue = overdue


class LabError(RuntimeError):
    """A problem of the lab (cluster, peer, console, image, network): the product could not be judged.

    Credentials are removed from the message, as other libraries write parts of it.
    """

    ROBOT_SUPPRESS_NAME = True

    def __init__(self, message: str) -> None:
        message = without_secrets(message)
        super().__init__(message if message.startswith(LAB_ERROR_PREFIX) else LAB_ERROR_PREFIX + message)


class BadInput(LabError):
    """A variable or the kubeconfig has a wrong value; the message names it, what was expected and the remedy."""


class TestError(RuntimeError):
    """A suite uses a keyword wrongly; the message names the argument, what was expected and what there is."""

    ROBOT_SUPPRESS_NAME = True
    __test__ = False  # not a test class of pytest, despite its name

    def __init__(self, message: str) -> None:
        super().__init__(message if message.startswith(TEST_ERROR_PREFIX) else TEST_ERROR_PREFIX + message)


class CapabilityMissing(Exception):
    """A capability that the test needs is missing; the message has its name and the measured value."""


class Unreachable(LabError):
    """The API server did not answer within the time limit."""
