# SPDX-License-Identifier: Apache-2.0
"""Packet loss: the share of pings without an answer."""
