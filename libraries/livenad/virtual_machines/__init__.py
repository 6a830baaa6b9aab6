# SPDX-License-Identifier: Apache-2.0
"""VMs: manifests, cloud-init, credentials, and verdicts on their lifecycle."""
