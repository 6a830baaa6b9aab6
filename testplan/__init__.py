# SPDX-License-Identifier: Apache-2.0
"""The test plan as data, and its tools: ``python -m testplan check | report | gate``."""
