"""What is kept of a cluster when a step fails, while everything is still there."""
