"""The objects of a cluster with KubeVirt: namespaces, the KubeVirt CR, roles and their bindings."""
