# SPDX-License-Identifier: Apache-2.0
"""Charts and evidence for the log and the report."""
