"""Storage without disks: a StorageClass, claims that are bound, and CDI's DataVolumes as far as their status shows."""
