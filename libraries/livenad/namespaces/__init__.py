"""The test namespace of a suite."""
