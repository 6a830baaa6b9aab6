"""Whose fault it is: the four ways in which a check or an action ends badly.

Robot shows the message alone, so the message itself says whose fault it is. The test plan's gate reads the prefixes.
"""

from __future__ import annotations

LAB_ERROR_PREFIX = "LAB ERROR: "


class ProductFault(AssertionError):
    """The product did not do what a requirement says. Message: object, expected, last seen, how long, where to look."""

    ROBOT_SUPPRESS_NAME = True


class LabError(RuntimeError):
    """The lab (cluster, peer, console, image, network) kept the test from judging the product."""

    ROBOT_SUPPRESS_NAME = True

    def __init__(self, message: str) -> None:
        super().__init__(message if message.startswith(LAB_ERROR_PREFIX) else LAB_ERROR_PREFIX + message)


class BadInput(LabError):
    """A value given by the user is wrong; the message names the input, what was expected and the remedy."""


class CapabilityMissing(Exception):
    """The cluster lacks something that the test needs; the message has the capability and the measured value."""


class Unreachable(LabError):
    """The API server gave no answer for as long as it was waited for."""
