"""The data plane: nodes, networks, pods and guests in Linux namespaces."""
