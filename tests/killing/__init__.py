# SPDX-License-Identifier: Apache-2.0
"""Kills many runs at random moments, cleans up, and compares the cluster with what it was before."""
