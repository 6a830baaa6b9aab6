"""VMs: manifests, cloud-init, credentials, and verdicts on their lifecycle."""
