# SPDX-License-Identifier: Apache-2.0
"""The identity of a guest: its boot and its interfaces."""
