"""Charts and evidence for the log and the report."""
