"""The ownership of objects on the cluster: labels, created resources, leases, removal."""
