# SPDX-License-Identifier: Apache-2.0
"""The VMI controller: launcher pods, and the part of a VMI's status that virt-controller writes."""
