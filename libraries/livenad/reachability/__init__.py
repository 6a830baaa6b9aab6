"""Reachability between guests: probes inside guests, and verdicts on their samples."""
