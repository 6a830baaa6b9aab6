"""The objects on a cluster: how they are written, known by their labels, remembered and removed."""
