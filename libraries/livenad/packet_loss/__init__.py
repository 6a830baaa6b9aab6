"""How many pings a network loses."""
