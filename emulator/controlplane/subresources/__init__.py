"""virt-api: the aggregated API group ``subresources.kubevirt.io``."""
