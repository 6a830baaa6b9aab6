"""The identity of a guest: its boot and its interfaces."""
