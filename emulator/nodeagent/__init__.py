# SPDX-License-Identifier: Apache-2.0
"""The node agent: kubelet, Multus and virt-handler for every node of the embedded cluster.

It uses only the Kubernetes API and its own stream endpoints, so it can run against any API server that has the CRDs.
"""
