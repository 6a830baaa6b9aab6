"""The scheduler: finds a node for each pod that asks for one."""
