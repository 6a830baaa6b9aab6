# SPDX-License-Identifier: Apache-2.0
"""The NMState handler: configures the nodes' bridges by policies, and reports the nodes' state."""
