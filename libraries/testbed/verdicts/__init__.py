"""What was recorded and measured, judged: each returns what it saw, or raises."""
