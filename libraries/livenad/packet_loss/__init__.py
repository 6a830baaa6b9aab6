"""Packet loss: the share of pings without an answer."""
