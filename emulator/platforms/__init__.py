"""What a cluster is besides Kubernetes, Multus and KubeVirt: its platform, made of add-ons."""
