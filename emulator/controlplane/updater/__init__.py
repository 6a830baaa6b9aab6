# SPDX-License-Identifier: Apache-2.0
"""The workload updater: migrates or evicts VMIs with pending changes."""
