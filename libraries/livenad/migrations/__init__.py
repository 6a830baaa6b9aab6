# SPDX-License-Identifier: Apache-2.0
"""Live migrations: their queue, an induced failure, and verdicts on VMs that must or must not move."""
