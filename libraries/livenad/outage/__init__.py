"""Outage monitoring: how long a VM is unreachable while its network changes."""
