# SPDX-License-Identifier: Apache-2.0
"""Reachability between guests: probes inside guests, and verdicts on their samples."""
