# SPDX-License-Identifier: Apache-2.0
"""Project rules for Robocop."""
