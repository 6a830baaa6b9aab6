# SPDX-License-Identifier: Apache-2.0
"""The sample run in ``docs/sample``, and the pictures of it in ``docs/images``."""
