# SPDX-License-Identifier: Apache-2.0
"""Plain typed Python beneath the keyword libraries; nothing here imports Robot Framework."""
