# SPDX-License-Identifier: Apache-2.0
"""Outage monitoring: how long a VM is unreachable while its network changes."""
