"""The NMState handler: configures the nodes' bridges by policies, and reports the nodes' state."""
