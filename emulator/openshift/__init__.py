"""What OpenShift and OpenShift Virtualization add to a cluster, so far as anybody who swaps networks can meet it."""
