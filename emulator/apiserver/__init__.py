"""A Kubernetes API server in memory: it knows resources as data and nothing of what they mean."""
