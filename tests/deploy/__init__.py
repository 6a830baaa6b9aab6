# SPDX-License-Identifier: Apache-2.0
"""What lies in deploy/, checked as far as it can be without an engine."""
