"""Who owns what on the cluster: labels, created resources, leases, removal."""
