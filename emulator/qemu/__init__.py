# SPDX-License-Identifier: Apache-2.0
"""Guests that are QEMU processes with a kernel of their own: how they are built from packages, booted and moved."""
