# SPDX-License-Identifier: Apache-2.0
"""Storage without disks: a StorageClass, claims that are bound, and the status of CDI's DataVolumes."""
