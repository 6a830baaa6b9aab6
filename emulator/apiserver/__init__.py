# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes API server in memory. Resources are declared as data; this package does not know what they mean."""
