"""The history of a namespace: recorded from watch streams, waited on, read."""
