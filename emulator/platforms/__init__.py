# SPDX-License-Identifier: Apache-2.0
"""The platform of a cluster: what it has besides Kubernetes, Multus and KubeVirt, as add-ons."""
