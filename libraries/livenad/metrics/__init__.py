"""KubeVirt's metrics: where they are read, and what they say of a VM's NICs."""
