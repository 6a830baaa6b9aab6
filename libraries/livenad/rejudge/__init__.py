# SPDX-License-Identifier: Apache-2.0
"""Verdicts made again without a cluster, from what a run saved or from a recorded flow."""
