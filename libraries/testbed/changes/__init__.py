"""What is done to a VM: edits, acts, and the swap that follows from an edit."""
