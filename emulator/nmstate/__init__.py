"""NMState's side of the API: its kinds and webhooks. What it does on the nodes is ``emulator.nodeagent.nmstate``."""
