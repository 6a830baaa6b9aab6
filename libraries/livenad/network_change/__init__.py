"""The change of a VM's network: the edit, its completion, the verdicts."""
