# SPDX-License-Identifier: Apache-2.0
"""Conditions of VM and VMI: RestartRequired, MigrationRequired."""
