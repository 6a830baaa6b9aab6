# SPDX-License-Identifier: Apache-2.0
"""The test namespace of a suite."""
