# SPDX-License-Identifier: Apache-2.0
"""Invariants: what a network change must leave as it was is recorded before it and compared whole after it."""
