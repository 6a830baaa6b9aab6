# SPDX-License-Identifier: Apache-2.0
"""The change of a VM's network: the edit, its completion, the verdicts."""
