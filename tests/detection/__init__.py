"""Each suite fails on the defect that it is there for."""
