# SPDX-License-Identifier: Apache-2.0
"""What a broken product, node or guest would do: one small file each, injected at one fault point."""
