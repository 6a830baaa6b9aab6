"""Storage without disks: a StorageClass, claims that are bound, and the status of CDI's DataVolumes."""
