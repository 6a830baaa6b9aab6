"""The data plane: nodes, networks, pods and guests as Linux namespaces."""
