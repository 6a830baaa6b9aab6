"""The embedded cluster as processes: who starts whom, where their files lie, and how everything goes away again."""
