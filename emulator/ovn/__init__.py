"""OVN-Kubernetes: what shows that it is there, and its networks for the whole cluster."""
