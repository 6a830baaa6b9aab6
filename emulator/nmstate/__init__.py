# SPDX-License-Identifier: Apache-2.0
"""NMState's side of the API: its kinds and webhooks. ``emulator.nodeagent.nmstate`` is its handler on the nodes."""
