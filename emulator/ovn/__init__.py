# SPDX-License-Identifier: Apache-2.0
"""OVN-Kubernetes: the objects by which clients detect it, and its cluster-wide networks."""
