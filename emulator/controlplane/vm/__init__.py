"""The VM controller: starts and stops VMIs, copies live updates to them, and keeps the VM's status."""
