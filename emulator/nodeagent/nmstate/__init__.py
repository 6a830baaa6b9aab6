"""The NMState handler: configures the bridges of the nodes as policies ask, and reports what the nodes have."""
