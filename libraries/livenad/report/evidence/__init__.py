# SPDX-License-Identifier: Apache-2.0
"""What is kept of a cluster when a step fails, while everything is still there."""
