# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's metrics: where they are read, and what they say of a VM's NICs."""
