"""The cluster: how it is reached, what it is, and who may do what on it."""
