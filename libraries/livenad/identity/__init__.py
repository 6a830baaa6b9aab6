"""What a guest says of itself: its boot and its interfaces."""
