"""Shells into guests: SSH and the serial console."""
