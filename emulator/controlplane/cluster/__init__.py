# SPDX-License-Identifier: Apache-2.0
"""The objects of a cluster with KubeVirt: namespaces, the KubeVirt CR, roles and their bindings."""
