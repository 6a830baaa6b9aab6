"""The workload updater: migrates or evicts VMIs with pending changes."""
