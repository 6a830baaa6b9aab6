# SPDX-License-Identifier: Apache-2.0
"""What a broken product, node or guest would do: a file for each topic, each defect injected at one fault point."""
