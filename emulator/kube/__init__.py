"""What the parts of the embedded cluster share to speak the Kubernetes API."""
