"""A shell on a guest's serial console."""
