"""Guests: shells into them, probes inside them, what they say of themselves, who reaches whom."""
