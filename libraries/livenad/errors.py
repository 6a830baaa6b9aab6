"""Who is to blame: the ways in which a check or an action ends badly.

Robot shows only the message of these errors, so the message itself begins with a prefix. The test plan's gate reads it.
"""

from __future__ import annotations

from livenad.secret_text import without_secrets

LAB_ERROR_PREFIX = "LAB ERROR: "
TEST_ERROR_PREFIX = "TEST ERROR: "


class ProductFault(AssertionError):
    """The product did not do what a requirement says. Message: object, expected, last seen, how long, where to look."""

    ROBOT_SUPPRESS_NAME = True


class LabError(RuntimeError):
    """The lab (cluster, peer, console, image, network) kept the test from judging the product.

    Much of such a message comes from libraries below, which know nothing of what is secret: it loses the credentials.
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
    __test__ = False  # no test of pytest's, despite its name

    def __init__(self, message: str) -> None:
        super().__init__(message if message.startswith(TEST_ERROR_PREFIX) else TEST_ERROR_PREFIX + message)


class CapabilityMissing(Exception):
    """The cluster lacks something that the test needs; the message has the capability and the measured value."""


class Unreachable(LabError):
    """The API server gave no answer for as long as it was waited for."""
