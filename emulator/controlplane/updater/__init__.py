"""The workload updater: migrates or evicts VMIs that wait for a change to reach them."""
