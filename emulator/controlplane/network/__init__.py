# SPDX-License-Identifier: Apache-2.0
"""Pure rules of networks: pod interface names, what is copied to a VMI, what requires a migration or a restart."""
