# SPDX-License-Identifier: Apache-2.0
"""The Kubernetes API: connection, requests, watches, the recorded history, and what KubeVirt's status fields mean."""
