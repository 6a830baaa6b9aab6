"""Plain typed Python beneath the keyword libraries; nothing here imports Robot Framework."""
