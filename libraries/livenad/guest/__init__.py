# SPDX-License-Identifier: Apache-2.0
"""Shells into guests: SSH and the serial console."""
