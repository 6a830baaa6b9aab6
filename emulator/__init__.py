"""The embedded cluster: a KubeVirt cluster's API, control plane, nodes and guests on one Linux machine."""
