"""The Kubernetes API: connection, requests, watches, the recorded history, and what KubeVirt's status fields mean."""
