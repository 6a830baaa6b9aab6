"""Conditions of VM and VMI: RestartRequired, MigrationRequired."""
