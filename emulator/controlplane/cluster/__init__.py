"""What is there before anybody creates anything: namespaces, the KubeVirt CR, roles and their bindings."""
