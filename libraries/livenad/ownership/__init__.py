# SPDX-License-Identifier: Apache-2.0
"""The ownership of objects on the cluster: labels, created resources, leases, removal."""
