# SPDX-License-Identifier: Apache-2.0
"""A shell on a guest's serial console."""
