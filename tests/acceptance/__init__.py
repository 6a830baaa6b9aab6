"""The project as its users start it."""
