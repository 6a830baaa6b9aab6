# SPDX-License-Identifier: Apache-2.0
"""The project as its users start it."""
