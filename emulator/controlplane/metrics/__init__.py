"""virt-controller's metrics, so far as they speak of networks, VMIs and migrations."""
