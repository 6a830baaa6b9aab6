"""How long a VM is cut off while its network changes."""
