"""Tests of tests/baseline."""
