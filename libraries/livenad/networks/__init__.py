"""The networks of the tests: VLANs, bridges, NICs, and how they come to the nodes."""
