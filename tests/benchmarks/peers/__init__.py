"""What people use instead: each way as its users have it, in an environment of its own."""
