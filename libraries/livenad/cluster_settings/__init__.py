"""Settings of the whole cluster that a test changes temporarily."""
