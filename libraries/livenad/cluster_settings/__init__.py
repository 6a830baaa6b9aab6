# SPDX-License-Identifier: Apache-2.0
"""Settings of the whole cluster that a test changes temporarily."""
