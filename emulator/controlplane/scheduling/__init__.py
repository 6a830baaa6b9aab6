# SPDX-License-Identifier: Apache-2.0
"""The scheduler: assigns pods to nodes."""
