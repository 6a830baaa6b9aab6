"""The command line of the embedded cluster."""
