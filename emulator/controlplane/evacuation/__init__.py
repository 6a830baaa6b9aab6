# SPDX-License-Identifier: Apache-2.0
"""The evacuation controller: migrates VMIs off a node that they were evicted from."""
