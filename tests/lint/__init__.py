"""Project rules for Robocop."""
