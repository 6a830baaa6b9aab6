"""Monitoring: where KubeVirt's metrics can be read, and what they say of a VM's NICs."""
