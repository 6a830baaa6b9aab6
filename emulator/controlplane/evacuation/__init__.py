"""The evacuation controller: migrates VMIs off a node that they were evicted from."""
