# SPDX-License-Identifier: Apache-2.0
"""The error of the data plane."""

from __future__ import annotations


class DataPlaneError(Exception):
    """The machine cannot do what the data plane needs; the message names what is missing and the remedy."""
