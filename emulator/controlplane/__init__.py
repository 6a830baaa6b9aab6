# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's control plane and the parts of Kubernetes that it needs: one module for each real controller."""
