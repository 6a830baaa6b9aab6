"""virt-controller's metrics of networks, VMIs and migrations."""
